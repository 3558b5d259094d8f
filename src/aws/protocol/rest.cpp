#include "aws/protocol/rest.h"

#include "aws/protocol/query.h"
#include "aws/protocol/router.h"
#include "base/text.h"

namespace pileus::aws::protocol {

namespace {

TimestampFormat bound_format(const Shape& shape, const Member& member) {
  const bool header = member.location == Location::kHeader || member.location == Location::kHeaders;
  return timestamp_format(shape, &member,
                          header ? TimestampFormat::kHttpDate : TimestampFormat::kIso8601);
}

// The items of a header that holds a list: quoted strings, and dates that hold a comma each.
Result<std::vector<std::string>> header_items(const Shape& element, TimestampFormat format,
                                              std::string_view text) {
  std::vector<std::string> items;
  const bool dates = element.kind == Kind::kTimestamp && format == TimestampFormat::kHttpDate;
  std::size_t at = 0;
  const auto skip_space = [&] {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  };
  while (at <= text.size()) {
    skip_space();
    std::string item;
    if (at < text.size() && text[at] == '"' && element.kind == Kind::kString) {
      bool closed = false;
      for (++at; at < text.size() && !closed; ++at) {
        if (text[at] == '\\' && at + 1 < text.size())
          item += text[++at];
        else if (text[at] == '"')
          closed = true;
        else
          item += text[at];
      }
      if (!closed) return malformed("A quoted header value has no closing quote");
      skip_space();
      if (at < text.size() && text[at] != ',')
        return malformed("Unexpected text after a quoted header value");
      ++at;
    } else {
      auto end = text.find(',', at);
      if (dates && end != text.npos) end = text.find(',', end + 1);
      if (end == text.npos) end = text.size();
      item = trim(text.substr(at, end - at));
      at = end + 1;
    }
    items.push_back(std::move(item));
  }
  return items;
}

Result<Unit> read_header(const Reading& reading, const Member& member, std::string_view text,
                         void* out) {
  const Shape& shape = *member.shape;
  if (shape.kind == Kind::kList) {
    const auto format = bound_format(*shape.element, member);
    TRY_ASSIGN(const auto items, header_items(*shape.element, format, text));
    for (const auto& item : items)
      TRY(read_scalar(reading, *shape.element, format, item, new_element(shape, out)));
    return Unit{};
  }
  if (!is_scalar(shape))
    return malformed(str("Header ", member.wire_name, " can not hold a structure"));
  if (member.json_header) {
    auto bytes = from_base64(text);
    if (!bytes || !parse_json(*bytes))
      return malformed(str("Header ", member.wire_name, " is not base64 of JSON"));
    *static_cast<std::string*>(out) = std::move(*bytes);
    return Unit{};
  }
  if (shape.kind != Kind::kString) text = trim(text);
  return read_scalar(reading, shape, bound_format(shape, member), text, out);
}

Result<Unit> read_headers(const Reading& reading, const Shape& shape, const net::Headers& headers,
                          void* out, Seen& seen) {
  for (const auto& member : shape.members) {
    if (member.location == Location::kHeader) {
      const bool list = member.shape->kind == Kind::kList;
      std::string joined;
      int count = 0;
      for (const auto& [name, value] : headers.fields()) {
        if (!iequals(name, member.wire_name) || (count > 0 && !list)) continue;
        if (count++ > 0) joined += ',';
        joined += value;
      }
      if (count == 0) continue;
      if (joined.empty() && member.shape->kind != Kind::kString) continue;
      TRY(read_header(reading, member, joined, make_value(out, member)));
      seen.set(shape, member);
    } else if (member.location == Location::kHeaders) {
      void* map = nullptr;
      const std::string_view prefix = member.wire_name;
      for (const auto& [name, value] : headers.fields()) {
        if (name.size() < prefix.size() ||
            !iequals(std::string_view(name).substr(0, prefix.size()), prefix))
          continue;
        if (!map) map = make_value(out, member);
        TRY(read_scalar(reading, *member.shape->element, TimestampFormat::kHttpDate, value,
                        new_entry(*member.shape, map, name.substr(prefix.size()))));
      }
      if (map) seen.set(shape, member);
    }
  }
  return Unit{};
}

std::string header_text(const Member& member, const void* value) {
  const Shape& shape = *member.shape;
  std::string out;
  if (shape.kind != Kind::kList) {
    append_scalar(out, shape, bound_format(shape, member), value);
    return member.json_header ? to_base64(out) : out;
  }
  for (std::size_t i = 0; i < shape.list->size(value); ++i) {
    const void* element = list_element(shape, value, i);
    if (!element) continue;
    std::string item;
    append_scalar(item, *shape.element, bound_format(*shape.element, member), element);
    if (!out.empty() || i > 0) out += ", ";
    if (shape.element->kind == Kind::kString && item.find_first_of("\",") != item.npos)
      out += str("\"", replace_all(replace_all(item, "\\", "\\\\"), "\"", "\\\""), "\"");
    else
      out += item;
  }
  return out;
}

void write_headers(const Shape& shape, const void* value, net::Headers& headers) {
  for (const auto& member : shape.members) {
    const void* item = value_of(value, member);
    if (!item) continue;
    if (member.location == Location::kHeader) {
      headers.set(member.wire_name, header_text(member, item));
    } else if (member.location == Location::kHeaders) {
      for_each_entry(*member.shape, item, [&](const std::string& key, const void* v) {
        if (v) headers.set(str(member.wire_name, key), *static_cast<const std::string*>(v));
      });
    }
  }
}

Result<Unit> read_query_member(const Reading& reading, const Shape& shape, const Member& member,
                               const Parameters& parameters, void* out, Seen& seen) {
  void* target = nullptr;
  for (const auto& [name, value] : parameters) {
    if (name != member.wire_name) continue;
    if (!target) target = make_value(out, member);
    const Shape& item = member.shape->kind == Kind::kList ? *member.shape->element : *member.shape;
    if (!is_scalar(item)) return malformed(str("Parameter ", name, " can not hold a structure"));
    TRY(read_scalar(
        reading, item, bound_format(item, member), value,
        member.shape->kind == Kind::kList ? new_element(*member.shape, target) : target));
    seen.set(shape, member);
    if (member.shape->kind != Kind::kList) break;
  }
  return Unit{};
}

Result<Unit> read_query_map(const Reading& reading, const Shape& shape, const Member& member,
                            const Parameters& parameters, void* out, Seen& seen) {
  const Shape& map = *member.shape;
  std::map<std::string_view, void*> lists;
  void* target = nullptr;
  for (const auto& [name, value] : parameters) {  // those bound by name as well
    if (!target) target = make_value(out, member);
    if (map.element->kind == Kind::kList) {
      auto& list = lists[name];
      if (!list) list = new_entry(map, target, name);
      TRY(read_scalar(reading, *map.element->element, TimestampFormat::kIso8601, value,
                      new_element(*map.element, list)));
    } else {
      TRY(read_scalar(reading, *map.element, TimestampFormat::kIso8601, value,
                      new_entry(map, target, name)));
    }
    seen.set(shape, member);
  }
  return Unit{};
}

void add_parameter(std::string& query, std::string_view name, std::string_view value) {
  if (!query.empty()) query += '&';
  query += percent_encode(name);
  query += '=';
  query += percent_encode(value);
}

void write_query_member(const Shape& shape, const Member& member, const void* item,
                        std::string& query) {
  const auto text = [&](const Shape& s, const void* v) {
    std::string out;
    append_scalar(out, s, bound_format(s, member), v);
    return out;
  };
  const auto list = [&](std::string_view name, const Shape& s, const void* v) {
    for (std::size_t i = 0; i < s.list->size(v); ++i)
      if (const void* element = list_element(s, v, i))
        add_parameter(query, name, text(*s.element, element));
  };
  if (member.location == Location::kQueryMap) {
    for_each_entry(*member.shape, item, [&](const std::string& key, const void* v) {
      const bool bound = std::any_of(
          shape.members.begin(), shape.members.end(),
          [&](const Member& m) { return m.location == Location::kQuery && key == m.wire_name; });
      if (bound || !v) return;
      if (member.shape->element->kind == Kind::kList)
        list(key, *member.shape->element, v);
      else
        add_parameter(query, key, text(*member.shape->element, v));
    });
  } else if (member.shape->kind == Kind::kList) {
    list(member.wire_name, *member.shape, item);
  } else {
    add_parameter(query, member.wire_name, text(*member.shape, item));
  }
}

}  // namespace

Result<Unit> read_rest_request(const Reading& reading, const Shape& shape,
                               const WireRequest& request, const UriLabels& labels, void* out,
                               Seen& seen) {
  Parameters parameters;
  TRY(parse_form(request.query, parameters));
  for (const auto& member : shape.members) {
    if (member.location == Location::kUri) {
      for (const auto& [label, raw] : labels) {
        if (label != member.wire_name) continue;
        const auto text = percent_decode(raw);
        if (!text || !is_utf8(*text))
          return malformed("The path is not valid percent-encoding of UTF-8");
        TRY(read_scalar(reading, *member.shape, bound_format(*member.shape, member), *text,
                        make_value(out, member)));
        seen.set(shape, member);
      }
    } else if (member.location == Location::kQuery) {
      TRY(read_query_member(reading, shape, member, parameters, out, seen));
    } else if (member.location == Location::kQueryMap) {
      TRY(read_query_map(reading, shape, member, parameters, out, seen));
    }
  }
  return read_headers(reading, shape, request.headers, out, seen);
}

Result<Unit> read_rest_response(const Reading& reading, const Shape& shape,
                                const WireResponse& response, void* out, Seen& seen) {
  for (const auto& member : shape.members) {
    if (member.location != Location::kStatusCode) continue;
    *static_cast<std::int32_t*>(make_value(out, member)) = response.status;
    seen.set(shape, member);
  }
  return read_headers(reading, shape, response.headers, out, seen);
}

Result<Unit> write_rest_request(const Operation& operation, const void* input,
                                WireRequest& request) {
  const Shape& shape = *operation.input;
  const std::string_view uri = operation.uri;
  const auto mark = uri.find('?');
  TRY_ASSIGN(
      request.path,
      expand(uri.substr(0, mark), [&](std::string_view label, bool greedy) -> Result<std::string> {
        for (const auto& member : shape.members) {
          if (member.location != Location::kUri || label != member.wire_name) continue;
          std::string text;
          if (const void* value = value_of(input, member))
            append_scalar(text, *member.shape, bound_format(*member.shape, member), value);
          if (text.empty()) break;
          return percent_encode(text, greedy ? Slash::kKeep : Slash::kEncode);
        }
        return fail(std::string(errc::kInvalid), str(operation.name, " needs a value for ", label));
      }));
  if (mark != uri.npos) request.query = uri.substr(mark + 1);
  for (const auto& member : shape.members) {
    if (member.location != Location::kQuery && member.location != Location::kQueryMap) continue;
    if (const void* item = value_of(input, member))
      write_query_member(shape, member, item, request.query);
  }
  write_headers(shape, input, request.headers);
  return Unit{};
}

void write_rest_response(const Shape& shape, const void* output, WireResponse& response) {
  for (const auto& member : shape.members)
    if (const void* status =
            member.location == Location::kStatusCode ? value_of(output, member) : nullptr)
      response.status = *static_cast<const std::int32_t*>(status);
  write_headers(shape, output, response.headers);
}

}  // namespace pileus::aws::protocol
