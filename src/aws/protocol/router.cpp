#include "aws/protocol/router.h"

#include <algorithm>

#include "base/text.h"

namespace pileus::aws::protocol {

namespace {

// One operation that a path may mean, and what else its request must hold.
struct Candidate {
  const Operation* operation;
  std::vector<std::pair<std::string_view, std::string_view>> literals;  // ?uploads&x=y
  std::vector<std::string_view> required_query;
  std::vector<std::string_view> required_headers;
  std::vector<std::string_view> labels;  // in order of the path

  std::size_t weight() const {
    return literals.size() * 4 + required_query.size() + required_headers.size();
  }
};

struct Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> fixed;
  std::unique_ptr<Node> label;
  std::unique_ptr<Node> greedy;  // to the end, or to `after`
  std::map<std::string, std::vector<Candidate>, std::less<>> candidates;  // by method
};

struct Tree {
  Node root;
};

void add(Tree& tree, const Operation& operation) {
  const std::string_view uri = operation.uri;
  const auto mark = uri.find('?');
  Candidate candidate{&operation, {}, {}, {}, {}};
  if (mark != uri.npos) {
    for (const auto pair : split(uri.substr(mark + 1), '&')) {
      const auto equals = pair.find('=');
      const auto name = pair.substr(0, equals);
      if (name == "x-id") continue;  // a name for people; older SDKs do not send it
      candidate.literals.emplace_back(
          name, equals == pair.npos ? std::string_view() : pair.substr(equals + 1));
    }
  }
  if (operation.spoken()) {
    for (const auto& member : operation.input->members) {
      if (member.required && member.location == Location::kQuery)
        candidate.required_query.push_back(member.wire_name);
      if (member.required && member.location == Location::kHeader)
        candidate.required_headers.push_back(member.wire_name);
    }
  }
  Node* node = &tree.root;
  const auto path = uri.substr(0, mark);
  for (const auto segment : split(path.substr(std::min<std::size_t>(1, path.size())), '/')) {
    std::unique_ptr<Node>* next = nullptr;
    if (segment.empty()) continue;
    if (segment.starts_with('{') && segment.ends_with('}')) {
      const bool greedy = segment.ends_with("+}");
      candidate.labels.push_back(segment.substr(1, segment.size() - (greedy ? 3 : 2)));
      next = greedy ? &node->greedy : &node->label;
    } else {
      next = &node->fixed[std::string(segment)];
    }
    if (!*next) *next = std::make_unique<Node>();
    node = next->get();
  }
  auto& list = node->candidates[operation.method];
  list.push_back(std::move(candidate));
  std::sort(list.begin(), list.end(), [](const Candidate& a, const Candidate& b) {
    if (a.weight() != b.weight()) return a.weight() > b.weight();
    // What is not spoken has no tables to tell it apart, so it comes last.
    if (a.operation->spoken() != b.operation->spoken()) return a.operation->spoken();
    return std::string_view(a.operation->name) < b.operation->name;
  });
}

struct Query {
  std::vector<std::pair<std::string_view, std::string_view>> pairs;  // raw

  explicit Query(std::string_view text) {
    for (const auto pair : split(text, '&')) {
      const auto equals = pair.find('=');
      pairs.emplace_back(pair.substr(0, equals),
                         equals == pair.npos ? std::string_view() : pair.substr(equals + 1));
    }
  }
  bool has(std::string_view name) const {
    return std::any_of(pairs.begin(), pairs.end(), [&](const auto& p) { return p.first == name; });
  }
  bool has(std::string_view name, std::string_view value) const {
    return std::any_of(pairs.begin(), pairs.end(), [&](const auto& p) {
      return p.first == name && (value.empty() || p.second == value);
    });
  }
};

class Match {
 public:
  Match(const WireRequest& request, const std::vector<std::string_view>& segments)
      : request_(request), segments_(segments), query_(request.query) {}

  const Candidate* find(const Node& node, std::size_t at) {
    if (at == segments_.size()) {
      if (const Candidate* found = choose(node)) return found;
    } else {
      const auto segment = segments_[at];
      if (const auto next = node.fixed.find(segment); next != node.fixed.end())
        if (const Candidate* found = find(*next->second, at + 1)) return found;
      if (node.label && !segment.empty()) {
        values_.push_back(segment);
        if (const Candidate* found = find(*node.label, at + 1)) return found;
        values_.pop_back();
      }
      if (node.greedy)
        for (std::size_t end = segments_.size(); end > at; --end) {
          const char* first = segment.data();
          const auto last = segments_[end - 1];
          const std::string_view text(first,
                                      static_cast<std::size_t>(last.data() + last.size() - first));
          if (text.empty()) continue;
          values_.push_back(text);
          if (const Candidate* found = find(*node.greedy, end)) return found;
          values_.pop_back();
        }
    }
    return nullptr;
  }
  const std::vector<std::string_view>& values() const { return values_; }

 private:
  const Candidate* choose(const Node& node) const {
    const auto list = node.candidates.find(request_.method);
    if (list == node.candidates.end()) return nullptr;
    const Candidate* fallback = nullptr;  // literals hold, something required is absent
    for (const auto& candidate : list->second) {
      const bool literal =
          std::all_of(candidate.literals.begin(), candidate.literals.end(),
                      [&](const auto& l) { return query_.has(l.first, l.second); });
      if (!literal) continue;
      const bool whole =
          std::all_of(candidate.required_query.begin(), candidate.required_query.end(),
                      [&](auto name) { return query_.has(name); }) &&
          std::all_of(candidate.required_headers.begin(), candidate.required_headers.end(),
                      [&](auto name) { return request_.headers.find(name).has_value(); });
      if (whole) return &candidate;
      if (!fallback || !candidate.literals.empty()) fallback = &candidate;
    }
    return fallback;
  }

  const WireRequest& request_;
  const std::vector<std::string_view>& segments_;
  Query query_;
  std::vector<std::string_view> values_;
};

// Per thread, so that a look-up takes no lock; a tree is a few kilobytes.
const Tree& tree_of(const Service& service) {
  thread_local std::unordered_map<const Service*, std::unique_ptr<Tree>> trees;
  auto& tree = trees[&service];
  if (!tree) {
    tree = std::make_unique<Tree>();
    for (const auto& operation : service.operations) add(*tree, operation);
  }
  return *tree;
}

}  // namespace

const Operation* route_rest(const Service& service, const WireRequest& request, UriLabels* labels) {
  const std::string_view path = request.path;
  if (!path.starts_with('/')) return nullptr;
  auto segments = split(path.substr(1), '/');
  const Tree& tree = tree_of(service);
  // "/functions/" and "/functions" are one; but a greedy label keeps its closing slash, so the path
  // as it stands is tried first.
  const auto attempt = [&]() -> const Operation* {
    Match match(request, segments);
    const Candidate* found = match.find(tree.root, 0);
    if (!found) return nullptr;
    if (labels) {
      labels->clear();
      for (std::size_t i = 0; i < found->labels.size(); ++i)
        labels->emplace_back(found->labels[i], match.values()[i]);
    }
    return found->operation;
  };
  if (const Operation* found = attempt()) return found;
  if (segments.empty() || !segments.back().empty()) return nullptr;
  segments.pop_back();
  return attempt();
}

}  // namespace pileus::aws::protocol
