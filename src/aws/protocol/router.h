// URI templates of the rest protocols: a tree per service, made on a thread's first use of it.
// Internal to aws/protocol.
#pragma once

#include "aws/protocol/codec.h"

namespace pileus::aws::protocol {

const Operation* route_rest(const Service& service, const WireRequest& request, UriLabels* labels);

// A template's path with its labels filled in by fill(label, greedy) → encoded text.
template <class Fill>
Result<std::string> expand(std::string_view path, Fill fill) {
  std::string out;
  while (!path.empty()) {
    const auto open = path.find('{');
    out += path.substr(0, open);
    if (open == path.npos) break;
    path.remove_prefix(open + 1);
    const auto close = path.find('}');
    std::string_view label = path.substr(0, close);
    path.remove_prefix(close + 1);
    const bool greedy = label.ends_with('+');
    if (greedy) label.remove_suffix(1);
    TRY_ASSIGN(const std::string text, fill(label, greedy));
    out += text;
  }
  return out;
}

}  // namespace pileus::aws::protocol
