#include "aws/protocol/xml.h"

#include <pugixml.hpp>

#include "base/text.h"

namespace pileus::aws::protocol {

XmlText::XmlText() : document_(std::make_unique<pugi::xml_document>()) {}
XmlText::~XmlText() = default;

bool XmlText::parse(std::string_view text) {
  // Document types and what stands beside the root are kept, so that they can be refused.
  const unsigned options = pugi::parse_default | pugi::parse_ws_pcdata_single |
                           pugi::parse_doctype | pugi::parse_fragment;
  if (!is_utf8(text) ||
      !document_->load_buffer(text.data(), text.size(), options, pugi::encoding_utf8))
    return false;
  int roots = 0;
  for (const auto& node : document_->children()) {
    const bool blank = node.type() == pugi::node_pcdata && trim(node.value()).empty();
    if (node.type() == pugi::node_element)
      ++roots;
    else if (!blank)
      return false;
  }
  return roots == 1;
}
pugi::xml_node XmlText::root() const { return document_->document_element(); }

namespace {

std::string_view local_name(const char* qualified) {
  const std::string_view name = qualified;
  const auto colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

std::string_view flat_name(const Member& member) {
  return member.shape->kind == Kind::kList && member.shape->element_name
             ? member.shape->element_name
             : member.wire_name;
}
bool is_flat(const Member& member) {
  return member.flattened &&
         (member.shape->kind == Kind::kList || member.shape->kind == Kind::kMap);
}
std::string_view element_name(const Shape& list) {
  return list.element_name ? list.element_name : "member";
}
std::string_view value_name(const Shape& map) {
  return map.element_name ? map.element_name : "value";
}

struct Reader {
  const Reading& reading;
  int depth = 0;

  Result<Unit> value(const Shape& shape, const Member* member, const pugi::xml_node& in, void* out,
                     const Path& path) {
    if (depth >= kMaxDepth) return malformed("The XML is nested too deeply");
    ++depth;
    auto result = inner(shape, member, in, out, path);
    --depth;
    return result;
  }

  Result<Unit> inner(const Shape& shape, const Member* member, const pugi::xml_node& in, void* out,
                     const Path& path) {
    switch (shape.kind) {
      case Kind::kStructure: {
        Seen seen;
        TRY(structure(shape, in, out, path, seen, false));
        report_missing(reading, shape, seen, path);
        return Unit{};
      }
      case Kind::kList: {
        std::size_t index = 0;
        for (const auto& node : in.children()) {
          if (node.type() != pugi::node_element) continue;
          if (local_name(node.name()) != element_name(shape) && !reading.client) continue;
          TRY(value(*shape.element, nullptr, node, new_element(shape, out), path.element(index++)));
        }
        return Unit{};
      }
      case Kind::kMap:
        for (const auto& node : in.children())
          if (node.type() == pugi::node_element) TRY(entry(shape, node, out, path));
        return Unit{};
      case Kind::kDocument:
        return malformed("Documents are not supported in XML");
      default:
        if (!reading.client && has_elements(in))
          return malformed("Elements were found where a text was expected");
        return read_scalar(reading, shape,
                           timestamp_format(shape, member, TimestampFormat::kIso8601),
                           text_for(shape, in), out);
    }
  }

  static bool has_elements(const pugi::xml_node& in) {
    const auto children = in.children();
    return std::any_of(children.begin(), children.end(),
                       [](const auto& node) { return node.type() == pugi::node_element; });
  }

  static std::string text_for(const Shape& shape, const pugi::xml_node& in) {
    std::string text = text_of(in);
    return shape.kind == Kind::kString ? text : std::string(trim(text));
  }

  Result<Unit> entry(const Shape& map, const pugi::xml_node& node, void* out, const Path& path) {
    std::string key = text_of(child(node, map.key_name));
    const Path at = path.entry(key);
    const auto item = child(node, value_name(map));
    if (!item && map.element_optional) {
      map.map->put(out, key);
      return Unit{};
    }
    return value(*map.element, nullptr, item, new_entry(map, out, key), at);
  }

  Result<Unit> structure(const Shape& shape, const pugi::xml_node& in, void* out, const Path& path,
                         Seen& seen, bool top) {
    int set = 0, unknown = 0;
    for (const auto& member : shape.members) {
      if (!member.xml_attribute) continue;
      auto attribute = in.attribute(member.wire_name);
      if (!attribute) continue;
      const auto format = timestamp_format(*member.shape, &member, TimestampFormat::kIso8601);
      TRY(read_scalar(reading, *member.shape, format, attribute.value(), make_value(out, member)));
      seen.set(shape, member);
    }
    std::size_t hint = 0;
    for (const auto& node : in.children()) {
      if (node.type() != pugi::node_element) continue;
      const Member* member = find_member(shape, local_name(node.name()), hint, [](const Member& m) {
        return is_flat(m) ? flat_name(m) : std::string_view(m.wire_name);
      });
      if (!member || member->xml_attribute || (top && member->location != Location::kBody)) {
        ++unknown;
        continue;
      }
      const Path at = path.member(member->name);
      if (is_flat(*member)) {
        TRY(flat(*member, node, out, at, seen.has(shape, *member)));
        set += !seen.has(shape, *member);
      } else {
        TRY(value(*member->shape, member, node, make_value(out, *member), at));
        ++set;
      }
      seen.set(shape, *member);
    }
    return check_union(reading, shape, set, unknown);
  }

  // One more element of a flattened list or map.
  Result<Unit> flat(const Member& member, const pugi::xml_node& node, void* out, const Path& path,
                    bool again) {
    void* holder = field(out, member);
    void* container = !member.optional ? holder
                      : again          ? const_cast<void*>(member.optional->get(holder))
                                       : member.optional->emplace(holder);
    if (member.shape->kind == Kind::kMap) return entry(*member.shape, node, container, path);
    const auto index = member.shape->list->size(container);
    return value(*member.shape->element, nullptr, node, new_element(*member.shape, container),
                 path.element(index));
  }
};

struct Writer {
  std::string& out;
  Protocol protocol;

  void open(std::string_view name, const char* prefix, const char* xmlns) {
    out += '<';
    out += name;
    if (xmlns) {
      out += " xmlns";
      if (prefix) {
        out += ':';
        out += prefix;
      }
      out += "=\"";
      append_xml_attribute(out, xmlns);
      out += '"';
    }
  }
  void close(std::string_view name) {
    out += "</";
    out += name;
    out += '>';
  }

  void element(std::string_view name, const Shape& shape, const Member* member, const void* v,
               const char* prefix, const char* xmlns) {
    open(name, prefix, xmlns);
    if (shape.kind == Kind::kStructure) attributes(shape, v);
    out += '>';
    content(shape, member, v);
    close(name);
  }

  void attributes(const Shape& shape, const void* v) {
    for (const auto& member : shape.members) {
      const void* item = member.xml_attribute ? value_of(v, member) : nullptr;
      if (!item) continue;
      out += ' ';
      out += member.wire_name;
      out += "=\"";
      std::string text;
      append_scalar(text, *member.shape,
                    timestamp_format(*member.shape, &member, TimestampFormat::kIso8601), item);
      append_xml_attribute(out, text);
      out += '"';
    }
  }

  void content(const Shape& shape, const Member* member, const void* v) {
    switch (shape.kind) {
      case Kind::kStructure:
        members(shape, v, false);
        break;
      case Kind::kList:
        items(shape, element_name(shape), v);
        break;
      case Kind::kMap:
        entries(shape, "entry", v);
        break;
      case Kind::kString:
        append_xml_text(out, *static_cast<const std::string*>(v));
        break;
      case Kind::kDocument:
        append_xml_text(out, to_text(*static_cast<const Json*>(v)));
        break;
      default:
        append_scalar(out, shape, timestamp_format(shape, member, TimestampFormat::kIso8601), v);
    }
  }

  void items(const Shape& shape, std::string_view name, const void* v,
             const Member* flat = nullptr) {
    const bool own = flat && flat->xml_namespace;
    const char* xmlns = own ? flat->xml_namespace : shape.element_namespace;
    const char* prefix = own ? flat->xml_prefix : shape.element_prefix;
    const std::size_t count = shape.list->size(v);
    for (std::size_t i = 0; i < count; ++i)
      if (const void* item = list_element(shape, v, i))
        element(name, *shape.element, nullptr, item, prefix, xmlns);
      else
        empty(name);
  }

  void entries(const Shape& shape, std::string_view name, const void* v,
               const Member* flat = nullptr) {
    for_each_entry(shape, v, [&](const std::string& key, const void* item) {
      open(name, flat ? flat->xml_prefix : nullptr, flat ? flat->xml_namespace : nullptr);
      out += '>';
      open(shape.key_name, nullptr, shape.key_namespace);
      out += '>';
      append_xml_text(out, key);
      close(shape.key_name);
      if (item)
        element(value_name(shape), *shape.element, nullptr, item, shape.element_prefix,
                shape.element_namespace);
      else
        empty(value_name(shape));
      close(name);
    });
  }
  void empty(std::string_view name) {
    out += '<';
    out += name;
    out += "/>";
  }

  void members(const Shape& shape, const void* v, bool top) {
    for (const auto& member : shape.members) {
      if (member.xml_attribute || (top && member.location != Location::kBody)) continue;
      const void* item = value_of(v, member);
      if (!item) continue;
      if (!is_flat(member)) {
        element(member.wire_name, *member.shape, &member, item, member.xml_prefix,
                member.xml_namespace);
      } else if (member.shape->kind == Kind::kList) {
        items(*member.shape, flat_name(member), item, &member);
      } else {
        entries(*member.shape, member.wire_name, item, &member);
      }
    }
  }
};

void append_escaped(std::string& out, std::string_view text, bool attribute) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += attribute ? "&quot;" : "\"";
        break;
      case '\r':
        out += "&#xD;";
        break;
      case '\n':
        out += attribute ? "&#xA;" : "\n";
        break;
      case '\t':
        out += attribute ? "&#x9;" : "\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20)
          out += str("&#x", to_hex(std::string_view(&c, 1)), ";");
        else
          out += c;
    }
  }
}

}  // namespace

pugi::xml_node child(const pugi::xml_node& node, std::string_view name) {
  for (const auto& candidate : node.children())
    if (candidate.type() == pugi::node_element && local_name(candidate.name()) == name)
      return candidate;
  return {};
}

std::string text_of(const pugi::xml_node& node) {
  std::string out;
  for (const auto& piece : node.children())
    if (piece.type() == pugi::node_pcdata || piece.type() == pugi::node_cdata) out += piece.value();
  return out;
}

Result<Unit> read_xml(const Reading& reading, const Shape& shape, const Member* member,
                      const pugi::xml_node& in, void* out, const Path& path) {
  return Reader{reading}.value(shape, member, in, out, path);
}
Result<Unit> read_xml_body(const Reading& reading, const Shape& shape, const pugi::xml_node& in,
                           void* out, const Path& path, Seen& seen) {
  return Reader{reading}.structure(shape, in, out, path, seen, true);
}

void append_xml_text(std::string& out, std::string_view text) { append_escaped(out, text, false); }
void append_xml_attribute(std::string& out, std::string_view text) {
  append_escaped(out, text, true);
}

void write_xml(Protocol protocol, std::string& out, std::string_view name, const Shape& shape,
               const Member* member, const void* value, std::string_view xmlns) {
  const char* uri = member && member->xml_namespace ? member->xml_namespace : shape.xml_namespace;
  const char* prefix = member && member->xml_namespace ? member->xml_prefix : shape.xml_prefix;
  const std::string fallback(xmlns);
  if (!uri && !fallback.empty()) uri = fallback.c_str();
  Writer writer{out, protocol};
  if (shape.kind == Kind::kStructure && !member) {
    writer.open(name, prefix, uri);
    writer.attributes(shape, value);
    out += '>';
    writer.members(shape, value, true);
    writer.close(name);
  } else {
    writer.element(name, shape, member, value, prefix, uri);
  }
}

void write_xml_members(Protocol protocol, std::string& out, const Shape& shape, const void* value) {
  Writer{out, protocol}.members(shape, value, true);
}

bool has_body_members(const Shape& shape) {
  for (const auto& member : shape.members)
    if (member.location == Location::kBody) return true;
  return false;
}

}  // namespace pileus::aws::protocol
