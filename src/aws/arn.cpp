#include "aws/arn.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"

namespace pileus::aws {
namespace {

// Wildcards among the tokens of a pattern; everything below 256 is a byte.
constexpr char16_t kStar = 0x100;           // any run
constexpr char16_t kOne = 0x101;            // any one character
constexpr char16_t kStarInSegment = 0x102;  // any run without ':'
constexpr char16_t kOneInSegment = 0x103;   // any one character but ':'
constexpr bool is_star(char16_t t) { return t == kStar || t == kStarInSegment; }

constexpr std::size_t kArnParts = 6;

// The six parts of an ARN; false where there are fewer.
bool split_arn(std::string_view text, std::array<std::string_view, kArnParts>& parts) {
  for (std::size_t i = 0; i + 1 < kArnParts; ++i) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return false;
    parts[i] = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  parts[kArnParts - 1] = text;
  return parts[0] == "arn";
}

struct Partition {
  std::string_view region_prefix, name, dns_suffix;
};
constexpr Partition kPartitions[] = {
    {"cn-", "aws-cn", "amazonaws.com.cn"},       {"us-gov-", "aws-us-gov", "amazonaws.com"},
    {"us-iso-", "aws-iso", "c2s.ic.gov"},        {"us-isob-", "aws-iso-b", "sc2s.sgov.gov"},
    {"eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"}, {"us-isof-", "aws-iso-f", "csp.hci.ic.gov"},
    {"eusc-", "aws-eusc", "amazonaws.eu"},
};

}  // namespace

std::string Arn::text() const {
  return str("arn:", partition, ':', service, ':', region, ':', account, ':', resource);
}

std::string_view Arn::resource_type() const {
  const auto end = resource.find_first_of(":/");
  return end == std::string::npos ? std::string_view() : std::string_view(resource).substr(0, end);
}

std::string_view Arn::resource_id() const {
  const auto end = resource.find_first_of(":/");
  return std::string_view(resource).substr(end == std::string::npos ? 0 : end + 1);
}

Result<Arn> parse_arn(std::string_view text) {
  std::array<std::string_view, kArnParts> p;
  if (!split_arn(text, p) || p[1].empty() || p[2].empty() || p[5].empty())
    return fail(std::string(errc::kInvalid), str("'", text, "' is not an ARN"));
  return Arn{std::string(p[1]), std::string(p[2]), std::string(p[3]), std::string(p[4]),
             std::string(p[5])};
}

bool is_arn(std::string_view text) {
  std::array<std::string_view, kArnParts> p;
  return split_arn(text, p) && !p[1].empty() && !p[2].empty() && !p[5].empty();
}

std::string_view account_of_arn(std::string_view text) {
  std::array<std::string_view, kArnParts> p;
  return split_arn(text, p) ? p[4] : std::string_view();
}

std::string_view partition_of_region(std::string_view region) {
  for (const auto& partition : kPartitions)
    if (region.starts_with(partition.region_prefix)) return partition.name;
  return "aws";
}

std::string_view dns_suffix_of_partition(std::string_view name) {
  for (const auto& partition : kPartitions)
    if (partition.name == name) return partition.dns_suffix;
  return "amazonaws.com";
}

Pattern::Pattern(std::string_view text, Form form) {
  Builder builder;
  builder.pattern(text);
  *this = builder.build(form);
}

void Pattern::Builder::pattern(std::string_view text) {
  for (const char c : text)
    tokens_ += c == '*' ? kStar : c == '?' ? kOne : static_cast<unsigned char>(c);
}
void Pattern::Builder::literal(std::string_view text) {
  for (const char c : text) literal(c);
}
Pattern Pattern::Builder::build(Form form) const {
  Pattern pattern;
  pattern.compile(tokens_, form);
  return pattern;
}

void Pattern::compile(std::u16string tokens, Form form) {
  tokens.erase(std::unique(tokens.begin(), tokens.end(),
                           [](char16_t a, char16_t b) { return a == kStar && b == kStar; }),
               tokens.end());
  std::size_t colons = 0;
  bool free_star = false, needs_all_positions = false;
  const bool everything = form == Form::kResourceArn && tokens.size() == 1;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    char16_t& t = tokens[i];
    if (t == ':') ++colons;
    if (form != Form::kPlain && colons + 1 < kArnParts && !everything) {
      const bool ends_segment = i + 1 == tokens.size() || tokens[i + 1] == ':';
      if (t == kOne) t = kOneInSegment;
      if (t == kStar && (form == Form::kConditionArn || !ends_segment)) t = kStarInSegment;
    }
    free_star |= t == kStar;
    needs_all_positions |= t == kStarInSegment && free_star;
  }
  std::size_t plain = 0;
  while (plain < tokens.size() && tokens[plain] < 0x100)
    literal_ += static_cast<char>(tokens[plain++]);
  if (plain == tokens.size()) {
    kind_ = Kind::kExact;
  } else if (plain + 1 == tokens.size() && tokens[plain] == kStar) {
    kind_ = plain == 0 ? Kind::kAny : Kind::kPrefix;
  } else {
    kind_ = needs_all_positions ? Kind::kSegments : Kind::kGlob;
    tokens_ = tokens.substr(plain);
    const bool only_free_stars = std::all_of(tokens_.begin(), tokens_.end(),
                                             [](char16_t t) { return t < 0x100 || t == kStar; });
    if (only_free_stars) cut_into_pieces();
  }
}

// The usual pattern: literals between free stars, found by searching.
void Pattern::cut_into_pieces() {
  kind_ = Kind::kPieces;
  for (const char16_t t : tokens_) {  // begins with a star
    if (t == kStar)
      pieces_.emplace_back();
    else
      pieces_.back() += static_cast<char>(t);
  }
  tokens_.clear();
}

bool Pattern::matches_pieces(std::string_view text) const {
  const std::string_view last = pieces_.back();
  if (!text.ends_with(last)) return false;
  text.remove_suffix(last.size());
  for (std::size_t i = 0; i + 1 < pieces_.size(); ++i) {
    const auto at = text.find(pieces_[i]);
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + pieces_[i].size());
  }
  return true;
}

bool Pattern::matches(std::string_view text) const {
  switch (kind_) {
    case Kind::kExact:
      return text == literal_;
    case Kind::kAny:
      return true;
    case Kind::kPrefix:
      return text.starts_with(literal_);
    case Kind::kPieces:
      return text.starts_with(literal_) && matches_pieces(text.substr(literal_.size()));
    case Kind::kGlob:
      return text.starts_with(literal_) && matches_glob(text.substr(literal_.size()));
    case Kind::kSegments:
      return text.starts_with(literal_) && matches_segments(text.substr(literal_.size()));
  }
  return false;
}

namespace {
bool accepts(char16_t token, char c) {
  return token == static_cast<unsigned char>(c) || token == kOne ||
         (token == kOneInSegment && c != ':');
}
}  // namespace

// The shortest match of each piece is as good as any, so it is enough to go back to the last star.
// A star within a segment comes before any free one here, so the colons before it have one place
// each: once the next colon matched, there is nothing to go back to.
bool Pattern::matches_glob(std::string_view text) const {
  constexpr auto kNone = std::u16string::npos;
  std::size_t p = 0, t = 0, star = kNone, resume = 0;
  while (t < text.size()) {
    if (p < tokens_.size() && is_star(tokens_[p])) {
      star = p++;
      resume = t;
    } else if (p < tokens_.size() && accepts(tokens_[p], text[t])) {
      if (tokens_[p] == ':' && star != kNone && tokens_[star] == kStarInSegment) star = kNone;
      ++p, ++t;
    } else if (star != kNone && (tokens_[star] == kStar || text[resume] != ':')) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < tokens_.size() && is_star(tokens_[p])) ++p;
  return p == tokens_.size();
}

// A star that stops at colons after a free one: all positions of the pattern at once.
bool Pattern::matches_segments(std::string_view text) const {
  std::vector<char> now(tokens_.size() + 1), next(tokens_.size() + 1);
  const auto settle = [this](std::vector<char>& at) {  // a star may match nothing
    for (std::size_t p = 0; p < tokens_.size(); ++p)
      if (at[p] && is_star(tokens_[p])) at[p + 1] = 1;
  };
  now[0] = 1;
  settle(now);
  for (const char c : text) {
    std::fill(next.begin(), next.end(), 0);
    for (std::size_t p = 0; p < tokens_.size(); ++p) {
      if (!now[p]) continue;
      if (tokens_[p] == kStar || (tokens_[p] == kStarInSegment && c != ':')) next[p] = 1;
      if (accepts(tokens_[p], c)) next[p + 1] = 1;
    }
    settle(next);
    now.swap(next);
  }
  return now.back();
}

bool glob_matches(std::string_view pattern, std::string_view text) {
  return Pattern(pattern).matches(text);
}

}  // namespace pileus::aws
