// Amazon Resource Names: parsing, formatting, partitions, and the pattern matching of IAM.
// Pure values; any thread. Matching costs O(pattern x text) at worst, never exponential.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace pileus::aws {

// arn:partition:service:region:account:resource. The resource keeps its own colons and slashes.
struct Arn {
  std::string partition = "aws";
  std::string service;
  std::string region;
  std::string account;
  std::string resource;

  std::string text() const;
  // "function" of function:name, "role" of role/path/name; "" where the resource has no type.
  std::string_view resource_type() const;
  // What follows the type: "name", "path/name"; the whole resource where it has no type.
  std::string_view resource_id() const;
  bool operator==(const Arn&) const = default;
};

// errc::kInvalid where the text has fewer than six parts or does not start with "arn:".
Result<Arn> parse_arn(std::string_view text);
bool is_arn(std::string_view text);
// The account of an ARN without parsing the rest; "" where there is none.
std::string_view account_of_arn(std::string_view text);

// aws, aws-cn, aws-us-gov, aws-iso, aws-iso-b, aws-iso-e, aws-iso-f, aws-eusc (botocore's
// partitions.json); "aws" for everything else, also for regions of one's own making.
std::string_view partition_of_region(std::string_view region);
std::string_view dns_suffix_of_partition(std::string_view partition);  // amazonaws.com …

// A compiled wildcard pattern: `*` any run of characters, `?` any one.
//
// In a resource ARN, wildcards work within the segments between colons, but a `*` that ends a
// segment also matches across colons (IAM User Guide, "IAM JSON policy elements: Resource", Using
// wildcards in resource ARNs). The resource, all that follows the fifth colon, counts as one
// segment: its own colons are plain characters. In the ARN operators of conditions each of the
// first five segments is compared by itself, no wildcard crosses a colon (the same guide, "IAM JSON
// policy elements: Condition operators", ARN condition operators).
class Pattern {
 public:
  enum class Form { kPlain, kResourceArn, kConditionArn };

  Pattern() = default;  // matches only ""
  explicit Pattern(std::string_view text, Form form = Form::kPlain);

  bool matches(std::string_view text) const;
  bool matches_everything() const { return kind_ == Kind::kAny; }
  bool is_literal() const { return kind_ == Kind::kExact; }
  std::string_view literal() const {
    return literal_;
  }  // what every match starts with; all of it if is_literal()

  // Puts a pattern together from text with wildcards and text that is taken as it is (the values
  // of policy variables).
  class Builder {
   public:
    void pattern(std::string_view text);
    void literal(std::string_view text);
    void literal(char c) { tokens_ += static_cast<unsigned char>(c); }
    Pattern build(Form form = Form::kPlain) const;

   private:
    std::u16string tokens_;
  };

 private:
  enum class Kind : std::uint8_t { kExact, kAny, kPrefix, kPieces, kGlob, kSegments };
  void compile(std::u16string tokens, Form form);
  void cut_into_pieces();
  bool matches_pieces(std::string_view text) const;
  bool matches_glob(std::string_view text) const;
  bool matches_segments(std::string_view text) const;

  Kind kind_ = Kind::kExact;
  std::string literal_;  // of kExact and kPrefix; of the others what every match starts with
  std::vector<std::string> pieces_;  // of kPieces: between the stars, the last one at the end
  std::u16string tokens_;  // of kGlob and kSegments: bytes, or one of the wildcards of arn.cpp
};

// One-off matching, without compiling.
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace pileus::aws
