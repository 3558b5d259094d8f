// How the parts of a request are written before they are hashed. Internal to the sigv4_* files.
#pragma once

#include <string>
#include <string_view>

#include "aws/sigv4.h"

namespace pileus::aws {

// S3: as sent, each byte encoded once. The others: dot segments and empty segments removed, then
// encoded once more (so what was encoded is encoded twice).
void append_canonical_path(std::string& out, std::string_view path, bool s3);
// Sorted by name and value, encoded anew, without X-Amz-Signature.
void append_canonical_query(std::string& out, std::string_view query);
// "name:value\n" for each name of the list, values trimmed, inner white space made one space,
// fields of one name joined by commas.
void append_canonical_headers(std::string& out, std::span<const HeaderField> headers,
                              std::string_view signed_headers);

// The first field of that name.
const std::string* find_header(std::span<const HeaderField> headers, std::string_view name);
// The decoded value of the first parameter of that name (names compare exactly, once decoded).
std::optional<std::string> find_parameter(std::string_view query, std::string_view name);
bool in_list(std::string_view semicolon_list, std::string_view name);

}  // namespace pileus::aws
