// JSON of the json 1.0, json 1.1 and rest-json protocols. Internal to aws/protocol.
#pragma once

#include <boost/json/monotonic_resource.hpp>

#include "aws/protocol/values.h"

namespace pileus::aws::protocol {

// One JSON text, parsed; its memory lives as long as this.
class JsonText {
 public:
  // The root, or nullptr after error().
  const Json* parse(std::string_view text);
  const std::string& error() const { return error_; }

 private:
  unsigned char buffer_[4096];
  boost::json::monotonic_resource memory_{buffer_, sizeof buffer_};
  std::optional<Json> root_;
  std::string error_;
};

// A value of the body.
Result<Unit> read_json(const Reading& reading, const Shape& shape, const Member* member,
                       const Json& in, void* out, const Path& path);
// The body members (Location::kBody) of a top structure; marks what it saw.
Result<Unit> read_json_body(const Reading& reading, const Shape& shape, const Json& in, void* out,
                            const Path& path, Seen& seen);
void write_json(std::string& out, const Shape& shape, const Member* member, const void* value);
// The body members of a top structure, as an object; `extra` is written first ("\"__type\":\"X\"").
void write_json_body(std::string& out, const Shape& shape, const void* value,
                     std::string_view extra = {});

}  // namespace pileus::aws::protocol
