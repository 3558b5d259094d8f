// Path: where in an input something is, in AWS's words ("tags.1.member.key"). A chain on the stack
// of parsers and validation; text is made only when there is something to say.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pileus::aws::protocol {

struct Path {
  enum class Step { kRoot, kMember, kElement, kEntry };
  const Path* parent = nullptr;
  Step step = Step::kRoot;
  std::string_view name = {};  // the model's member name, or the map's key
  std::size_t index = 0;       // of a list, from 0

  Path member(std::string_view model_name) const { return {this, Step::kMember, model_name, 0}; }
  Path element(std::size_t at) const { return {this, Step::kElement, {}, at}; }
  Path entry(std::string_view key) const { return {this, Step::kEntry, key, 0}; }

  std::string text() const {
    if (step == Step::kRoot) return {};
    std::string out = parent->text();
    if (!out.empty()) out += '.';
    if (step == Step::kMember) {
      out += name;
      char& first = out[out.size() - name.size()];
      if (!name.empty() && first >= 'A' && first <= 'Z')
        first = static_cast<char>(first - 'A' + 'a');
    } else if (step == Step::kElement) {
      out += std::to_string(index + 1) + ".member";
    } else {
      out += std::string(name) + ".member";
    }
    return out;
  }
};

}  // namespace pileus::aws::protocol
