#include "services/lambda/lineage.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace pileus::services::lambda {
namespace {

constexpr std::string_view kField = "Lineage=";

struct Visit {
  std::string function;
  std::int64_t times;
};

std::string mark_of(std::string_view function_arn) {  // FNV-1a
  std::uint32_t hash = 2166136261u;
  for (const char c : function_arn) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  char text[16];
  std::snprintf(text, sizeof text, "%08x", hash);
  return text;
}

// The header without its lineage, and that.
std::string take_apart(std::string_view trace, std::vector<Visit>& lineage) {
  std::string rest;
  for (const auto part : split(trace, ';')) {
    if (!trim(part).starts_with(kField)) {
      if (!trim(part).empty()) rest += (rest.empty() ? "" : ";") + std::string(part);
      continue;
    }
    for (const auto entry : split(trim(part).substr(kField.size()), '|')) {
      const auto pieces = split(entry, ':');
      const auto times = pieces.size() == 2 ? parse_int(pieces[1]) : std::nullopt;
      if (times && pieces[0].size() == 8 && *times > 0 && *times < 1'000'000)
        lineage.push_back({std::string(pieces[0]), *times});
    }
  }
  if (lineage.size() > kMostLineage)
    lineage.erase(lineage.begin(), lineage.end() - static_cast<std::ptrdiff_t>(kMostLineage));
  return rest;
}

}  // namespace

std::string with_hop(std::string_view trace, std::string_view function_arn) {
  std::vector<Visit> lineage;
  std::string out = take_apart(trace, lineage);
  const std::string mark = mark_of(function_arn);
  auto found = std::find_if(lineage.begin(), lineage.end(),
                            [&](const Visit& visit) { return visit.function == mark; });
  Visit visit{mark, 1};
  if (found != lineage.end()) {
    visit.times = found->times + 1;
    lineage.erase(found);
  }
  if (lineage.size() == kMostLineage) lineage.erase(lineage.begin());
  lineage.push_back(std::move(visit));
  out += str(out.empty() ? "" : ";", kField);
  for (std::size_t i = 0; i < lineage.size(); ++i)
    out += str(i > 0 ? "|" : "", lineage[i].function, ":", lineage[i].times);
  return out;
}

int visits(std::string_view trace, std::string_view function_arn) {
  std::vector<Visit> lineage;
  take_apart(trace, lineage);
  const std::string mark = mark_of(function_arn);
  for (const auto& visit : lineage)
    if (visit.function == mark) return static_cast<int>(visit.times);
  return 0;
}

Error recursive_invocation() {
  return Error("RecursiveInvocationException",
               "Lambda has detected your function being invoked in a recursive loop with other "
               "AWS resources and stopped your function's invocation.",
               400)
      .with("Type", "User");
}

}  // namespace pileus::services::lambda
