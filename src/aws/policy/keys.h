// Condition keys: which of them follow from the request itself (who asks, when, for what), so that
// nobody has to fill them in; the others are looked up among the values the caller gives.
// Source: IAM User Guide, "AWS global condition context keys".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pileus::aws::policy {

class Request;

// The values of one key in one request. Views into the request, but for `own`.
struct KeyValues {
  std::vector<std::string_view> values;  // empty: the key is not in the request
  std::string own;                       // backs a value that was made up for this look-up
};

class Key {
 public:
  Key() = default;
  explicit Key(std::string_view name);
  const std::string& name() const { return name_; }  // as written
  void look_up(const Request& request, KeyValues& out) const;

 private:
  enum class Derived : std::uint8_t {
    kGiven,
    kPrincipalArn,
    kPrincipalAccount,
    kPrincipalType,
    kPrincipalTag,
    kPrincipalIsService,
    kPrincipalServiceName,
    kUserId,
    kUserName,
    kSourceIdentity,
    kMfaPresent,
    kMfaAge,
    kTokenIssueTime,
    kCurrentTime,
    kEpochTime,
    kResourceAccount,
    kViaService,
    kFederatedProvider,
  };
  static Derived derived_of(std::string_view name);
  void derive(const Request& request, KeyValues& out) const;
  std::string name_;
  Derived derived_ = Derived::kGiven;
};

}  // namespace pileus::aws::policy
