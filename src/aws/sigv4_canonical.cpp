#include "aws/sigv4_canonical.h"

#include <algorithm>

namespace pileus::aws {
namespace {

constexpr char kHex[] = "0123456789ABCDEF";

constexpr auto kUnreserved = [] {
  std::array<bool, 256> table{};
  for (int c = 0; c < 256; ++c)
    table[c] = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.' || c == '_' || c == '~';
  return table;
}();

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_encoded(std::string& out, unsigned char c) {
  if (kUnreserved[c]) {
    out += static_cast<char>(c);
  } else {
    out += '%';
    out += kHex[c >> 4];
    out += kHex[c & 15];
  }
}

// The byte at `i` of percent-encoded text, moving i on. A '%' that starts no escape is itself.
unsigned char next_decoded(std::string_view text, std::size_t& i, bool& escaped) {
  const char c = text[i++];
  escaped = false;
  if (c != '%' || i + 1 >= text.size()) return static_cast<unsigned char>(c);
  const int high = hex_value(text[i]), low = hex_value(text[i + 1]);
  if (high < 0 || low < 0) return static_cast<unsigned char>(c);
  i += 2;
  escaped = true;
  return static_cast<unsigned char>(high * 16 + low);
}

void append_s3_path(std::string& out, std::string_view path) {
  if (path.empty()) out += '/';
  for (std::size_t i = 0; i < path.size();) {
    bool escaped;
    const unsigned char c = next_decoded(path, i, escaped);
    if (c == '/' && !escaped)
      out += '/';
    else
      append_encoded(out, c);
  }
}

// '+' stands for a space in a query string, as the services read it.
void append_query_piece(std::string& out, std::string_view piece) {
  for (std::size_t i = 0; i < piece.size();) {
    bool escaped;
    const unsigned char c = next_decoded(piece, i, escaped);
    append_encoded(out, c == '+' && !escaped ? ' ' : c);
  }
}

std::string decoded(std::string_view piece) {
  std::string out;
  for (std::size_t i = 0; i < piece.size();) {
    bool escaped;
    const unsigned char c = next_decoded(piece, i, escaped);
    out += static_cast<char>(c == '+' && !escaped ? ' ' : c);
  }
  return out;
}

// Calls visit(name, value) for each parameter, until it returns false.
template <class Visit>
void each_parameter(std::string_view query, Visit visit) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const std::string_view parameter = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (parameter.empty()) continue;
    const auto equals = parameter.find('=');
    const auto value =
        equals == std::string_view::npos ? std::string_view() : parameter.substr(equals + 1);
    if (!visit(parameter.substr(0, equals), value)) return;
  }
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

void append_header_value(std::string& out, std::string_view value) {
  value = trim(value);
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (!is_space(value[i]))
      out += value[i];
    else if (!is_space(value[i + 1]))  // trimmed: there is a next one
      out += ' ';
  }
}

}  // namespace

void append_canonical_path(std::string& out, std::string_view path, bool s3) {
  if (s3) return append_s3_path(out, path);
  std::vector<std::string_view> kept;
  for (const std::string_view segment : split(path, '/')) {
    if (segment.empty() || segment == ".") continue;
    if (segment != "..")
      kept.push_back(segment);
    else if (!kept.empty())
      kept.pop_back();
  }
  for (const std::string_view segment : kept) {
    out += '/';
    for (const char c : segment) append_encoded(out, static_cast<unsigned char>(c));
  }
  if (kept.empty() || path.ends_with('/')) out += '/';
}

void append_canonical_query(std::string& out, std::string_view query) {
  if (query.empty()) return;
  // All pieces encoded into one buffer, then sorted by where they lie.
  struct Parameter {
    std::size_t name, value, end;
  };
  std::string buffer;
  buffer.reserve(query.size() * 2);
  std::vector<Parameter> parameters;
  each_parameter(query, [&](std::string_view name, std::string_view value) {
    Parameter p{buffer.size(), 0, 0};
    append_query_piece(buffer, name);
    if (std::string_view(buffer).substr(p.name) == "X-Amz-Signature") {
      buffer.resize(p.name);
      return true;
    }
    p.value = buffer.size();
    append_query_piece(buffer, value);
    p.end = buffer.size();
    parameters.push_back(p);
    return true;
  });
  const std::string_view text = buffer;
  const auto name = [&](const Parameter& p) { return text.substr(p.name, p.value - p.name); };
  const auto value = [&](const Parameter& p) { return text.substr(p.value, p.end - p.value); };
  std::sort(parameters.begin(), parameters.end(), [&](const Parameter& a, const Parameter& b) {
    const int order = name(a).compare(name(b));
    return order != 0 ? order < 0 : value(a) < value(b);
  });
  for (bool first = true; const Parameter& p : parameters) {
    if (!std::exchange(first, false)) out += '&';
    out += name(p);
    out += '=';
    out += value(p);
  }
}

void append_canonical_headers(std::string& out, std::span<const HeaderField> headers,
                              std::string_view signed_headers) {
  while (!signed_headers.empty()) {
    const auto end = signed_headers.find(';');
    const std::string_view name = signed_headers.substr(0, end);
    signed_headers.remove_prefix(end == std::string_view::npos ? signed_headers.size() : end + 1);
    out += name;
    out += ':';
    for (bool first = true; const auto& [field, value] : headers) {
      if (field.size() != name.size() || !iequals(field, name)) continue;
      if (!std::exchange(first, false)) out += ',';
      append_header_value(out, value);
    }
    out += '\n';
  }
}

const std::string* find_header(std::span<const HeaderField> headers, std::string_view name) {
  for (const auto& [field, value] : headers)
    if (field.size() == name.size() && iequals(field, name)) return &value;
  return nullptr;
}

std::optional<std::string> find_parameter(std::string_view query, std::string_view name) {
  std::optional<std::string> found;
  each_parameter(query, [&](std::string_view key, std::string_view value) {
    if (key != name && (key.find('%') == std::string_view::npos || decoded(key) != name))
      return true;
    found = decoded(value);
    return false;
  });
  return found;
}

bool in_list(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const auto end = list.find(';');
    if (iequals(list.substr(0, end), name)) return true;
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
  }
  return false;
}

}  // namespace pileus::aws
