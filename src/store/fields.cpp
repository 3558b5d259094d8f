#include "store/fields.h"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <charconv>

namespace pileus::store {

namespace {
template <class Integer>
void append_integer(std::string& out, Integer value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}
}  // namespace

void FieldWriter::write(std::int64_t value) { append_integer(out_, value); }
void FieldWriter::write(std::uint64_t value) { append_integer(out_, value); }

void FieldWriter::comma() {
  if (out_.back() != '{' && out_.back() != '[') out_ += ',';
}

void FieldWriter::begin_field(std::string_view name) {
  comma();
  append_json_string(out_, name);
  out_ += ':';
}

void FieldReader::wrong(std::string_view wanted) {
  if (error_.empty()) error_ = str(": is not ", wanted);
}

void FieldReader::read(const Json& from, std::string& out) {
  if (!from.is_string()) return wrong("a string");
  out.assign(from.get_string());
}
void FieldReader::read(const Json& from, bool& out) {
  if (!from.is_bool()) return wrong("true or false");
  out = from.get_bool();
}
void FieldReader::read(const Json& from, double& out) {
  if (from.is_string()) {  // NaN and the infinities, which JSON has no numbers for
    const auto value = parse_double(from.get_string());
    if (!value) return wrong("a number");
    out = *value;
  } else if (from.is_number()) {
    out = from.to_number<double>();
  } else {
    wrong("a number");
  }
}
void FieldReader::read(const Json& from, std::int64_t& out) {
  boost::system::error_code ec;
  const auto value = from.is_number() ? from.to_number<std::int64_t>(ec) : 0;
  if (ec || !from.is_number()) return wrong("a whole number");
  out = value;
}
void FieldReader::read(const Json& from, std::uint64_t& out) {
  boost::system::error_code ec;
  const auto value = from.is_number() ? from.to_number<std::uint64_t>(ec) : 0;
  if (ec || !from.is_number()) return wrong("a whole number from 0");
  out = value;
}
void FieldReader::read(const Json& from, Time& out) {
  std::int64_t micros = 0;
  read(from, micros);
  out = Time(std::chrono::microseconds(micros));
}
void FieldReader::read(const Json& from, Duration& out) {
  std::int64_t micros = 0;
  read(from, micros);
  out = Duration(micros);
}
void FieldReader::read(const Json& from, std::set<std::string>& out) {
  std::vector<std::string> items;
  read(from, items);
  out = std::set<std::string>(items.begin(), items.end());
}

namespace detail {
Result<Unit> decode_into(std::string_view text, void* out,
                         void (*read)(FieldReader&, const Json&, void*)) {
  unsigned char buffer[4096];
  boost::json::monotonic_resource memory(buffer);  // the tree lives for this call only
  boost::json::parse_options options;
  options.max_depth = kJsonMaxDepth;
  options.allow_invalid_utf8 = true;  // strings are any bytes
  boost::system::error_code ec;
  const Json tree = boost::json::parse(text, ec, &memory, options);
  if (ec) return fail(std::string(errc::kInvalid), str("a record is not JSON: ", ec.message()));
  FieldReader reader(tree);
  read(reader, tree, out);
  if (reader.failed())
    return fail(std::string(errc::kInvalid), str("a record does not fit: ", reader.error()));
  return Unit{};
}
}  // namespace detail

}  // namespace pileus::store
