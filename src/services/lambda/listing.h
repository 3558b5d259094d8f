// The opaque markers of lists: where to go on. Pure.
#pragma once

#include <optional>
#include <string>

#include "base/text.h"
#include "services/lambda/names.h"

namespace pileus::services::lambda {

// A key as a marker and back; InvalidParameterValueException for what is none of ours.
inline std::string marker_of(std::string_view key) { return to_base64(key); }
inline Result<std::string> key_of(const std::optional<std::string>& marker,
                                  std::string_view prefix) {
  if (!marker || marker->empty()) return std::string();
  auto key = from_base64(*marker);
  if (!key || !key->starts_with(prefix)) return fail(invalid("Invalid value for Marker"));
  return std::move(*key);
}

// In ListFunctions: after which function, or within its versions after which.
struct ListMarker {
  std::string function;
  bool in_versions = false;
  std::string version;  // key

  std::string text() const {
    return to_base64(str(function, "\n", in_versions ? "v" : "", "\n", version));
  }
  static Result<ListMarker> parse(const std::optional<std::string>& marker) {
    if (!marker || marker->empty()) return ListMarker{};
    const auto text = from_base64(*marker);
    const auto parts = text ? split(*text, '\n') : std::vector<std::string_view>();
    if (parts.size() != 3) return fail(invalid("Invalid value for Marker"));
    return ListMarker{std::string(parts[0]), parts[1] == "v", std::string(parts[2])};
  }
};

}  // namespace pileus::services::lambda
