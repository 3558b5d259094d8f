#include "base/text.h"
#include "net/http.h"

namespace pileus::net {

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const auto& [key, value] : fields_) {
    if (iequals(key, name)) return value;
  }
  return std::nullopt;
}

std::string_view Headers::get(std::string_view name, std::string_view fallback) const {
  return find(name).value_or(fallback);
}

void Headers::set(std::string_view name, std::string value) {
  remove(name);
  fields_.emplace_back(std::string(name), std::move(value));
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [name](const Field& field) { return iequals(field.first, name); });
}

}  // namespace pileus::net
