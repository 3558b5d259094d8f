// XML of rest-xml bodies and of the answers of query and ec2. Internal to aws/protocol.
#pragma once

#include "aws/protocol/values.h"

namespace pugi {
class xml_document;
class xml_node;
}  // namespace pugi

namespace pileus::aws::protocol {

// One XML text, parsed. Entities and document types are not expanded.
class XmlText {
 public:
  XmlText();
  ~XmlText();
  // False when the text is not one well-formed element, or names a document type.
  bool parse(std::string_view text);
  pugi::xml_node root() const;

 private:
  std::unique_ptr<pugi::xml_document> document_;
};

// The child of that local name (any prefix), or an empty node.
pugi::xml_node child(const pugi::xml_node& node, std::string_view name);
std::string text_of(const pugi::xml_node& node);

Result<Unit> read_xml(const Reading& reading, const Shape& shape, const Member* member,
                      const pugi::xml_node& in, void* out, const Path& path);
// The body members of a top structure.
Result<Unit> read_xml_body(const Reading& reading, const Shape& shape, const pugi::xml_node& in,
                           void* out, const Path& path, Seen& seen);

void append_xml_text(std::string& out, std::string_view text);       // escaped
void append_xml_attribute(std::string& out, std::string_view text);  // escaped, without quotes
// <name xmlns…>value</name>. `xmlns` is the namespace for a root that names none itself.
void write_xml(Protocol protocol, std::string& out, std::string_view name, const Shape& shape,
               const Member* member, const void* value, std::string_view xmlns = {});
// The body members as elements, without a root.
void write_xml_members(Protocol protocol, std::string& out, const Shape& shape, const void* value);
bool has_body_members(const Shape& shape);

}  // namespace pileus::aws::protocol
