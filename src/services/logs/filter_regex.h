// FilterRegex: the regular expressions of CloudWatch Logs filter patterns (%...%). No groups, so an
// expression is a choice of plain sequences; matching simulates them and costs at most text x
// items. Immutable; any thread. Bytes: `.` and classes match one byte, as AWS supports no
// multi-byte here.
//
// Source: CloudWatch Logs User Guide, "Supported regular expressions (regex) syntax": letters,
// digits, the symbols : _ # = @ / ; , - and space, the operators ^ $ ? [ ] { } | \ * + and .
#pragma once

#include <bitset>
#include <string_view>
#include <vector>

#include "base/completion.h"

namespace pileus::services::logs {

class FilterRegex {
 public:
  static constexpr std::size_t kMaxItems = 512;  // after x{3,9} is written out

  // errc::kInvalid says what is not supported.
  static Result<FilterRegex> compile(std::string_view text);
  // Whether it matches anywhere in `text`.
  bool search(std::string_view text) const;

 private:
  struct Item {
    std::bitset<256> bytes;
    bool optional = false;
    bool repeated = false;
  };
  struct Sequence {
    std::vector<Item> items;
    bool at_begin = false, at_end = false;
    bool search(std::string_view text) const;
  };
  friend class RegexParser;
  std::vector<Sequence> choices_;
};

}  // namespace pileus::services::logs
