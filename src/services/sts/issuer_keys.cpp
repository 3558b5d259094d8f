#include "services/sts/issuer_keys.h"

#include "aws/guard.h"
#include "base/log.h"
#include "base/text.h"

namespace pileus::services::sts {

namespace {

Error no_key() {
  return Error("InvalidIdentityToken",
               "Couldn't retrieve verification key from your identity provider,  please reference "
               "AssumeRoleWithWebIdentity documentation for requirements",
               400);
}

// What net/ says of a failed fetch, as STS says it.
Error translated(const std::string& url, const Error& error) {
  log::info("an identity provider's document was not read",
            {{"url", url}, {"why", error.message()}});
  if (error.message().find(": TLS failed: ") != std::string::npos)
    return Error("InvalidIdentityToken",
                 "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint",
                 400);
  if (error.is(errc::kIo) || error.is(errc::kDeadline))
    return Error("IDPCommunicationError",
                 str("The identity provider could not be reached at ", url), 400);
  return no_key();
}

// https, or plain http on this machine for an issuer that is plain itself.
bool may_fetch(std::string_view url, const std::string& issuer) {
  if (url.starts_with("https://")) return true;
  if (!url.starts_with("http://") || !issuer.starts_with("http://")) return false;
  const auto rest = url.substr(7);
  return aws::host_is_ours(rest.substr(0, rest.find_first_of("/?#")), {});
}

std::string name_of(const aws::OidcProviderFacts& issuer) {
  std::string name = issuer.url;  // and what makes it be trusted
  for (const auto& thumbprint : issuer.thumbprints) name += '#' + thumbprint;
  return name;
}

bool has(const std::vector<Jwk>& keys, const std::string& key_id) {
  return std::ranges::any_of(keys, [&](const Jwk& key) { return key.key_id == key_id; });
}

}  // namespace

// Whose turn it is to fetch; however it ends, the others go on.
class IssuerKeys::Turn {
 public:
  Turn(IssuerKeys& of, std::string name) : of_(of), name_(std::move(name)) {}
  ~Turn() { of_.finish(name_, std::move(keys)); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  KeySet keys;

 private:
  IssuerKeys& of_;
  std::string name_;
};

void IssuerKeys::clear() {
  std::lock_guard lock(mutex_);
  std::erase_if(known_, [](const auto& entry) { return !entry.second.fetching; });
}

IssuerKeys::Known& IssuerKeys::known(const std::string& name) {
  if (known_.size() >= kMaxIssuers && !known_.contains(name))
    std::erase_if(known_, [](const auto& entry) { return !entry.second.fetching; });
  return known_[name];
}

void IssuerKeys::finish(const std::string& name, KeySet keys) {
  std::vector<Completer<Unit>> waiting;
  {
    std::lock_guard lock(mutex_);
    Known& issuer = known_[name];
    issuer.fetching = false;
    if (keys) {
      issuer.keys = std::move(keys);
      issuer.fetched = real_.monotonic();
      ++issuer.rounds;
    }
    waiting.swap(issuer.waiting);
  }
  for (auto& one : waiting) one.complete(Unit{});
}

Task<Result<KeySet>> IssuerKeys::find(aws::OidcProviderFacts issuer, std::string key_id) {
  const std::string name = name_of(issuer);
  std::optional<std::uint64_t> arrived;  // how often it had been fetched then
  for (;;) {
    std::optional<Completion<Unit>> others;
    {
      std::lock_guard lock(mutex_);
      Known& one = known(name);
      const auto now = real_.monotonic();
      const bool fresh = one.keys && now < one.fetched + kBelieved;
      if (!arrived) arrived = one.rounds;
      if (fresh && (has(*one.keys, key_id) || one.rounds != *arrived)) co_return one.keys;
      if (one.fetching) {
        one.waiting.push_back(others.emplace().completer());
      } else {
        while (!one.fetches.empty() && one.fetches.front() + kWindow <= now)
          one.fetches.pop_front();
        if (one.fetches.size() >= kFetches) co_return fail(no_key());
        one.fetches.push_back(now);
        one.fetching = true;
      }
    }
    if (others) {
      CO_TRY(co_await *others);
      continue;
    }
    Turn turn(*this, name);
    CO_TRY_ASSIGN(auto keys, co_await fetch(issuer));
    turn.keys = std::make_shared<const std::vector<Jwk>>(std::move(keys));
    co_return turn.keys;
  }
}

Task<Result<std::vector<Jwk>>> IssuerKeys::fetch(aws::OidcProviderFacts issuer) {
  std::string base = issuer.url;
  if (base.ends_with('/')) base.pop_back();
  const std::string discovery = base + "/.well-known/openid-configuration";
  auto text = co_await web_.get(discovery, issuer.thumbprints);
  if (!text) co_return fail(translated(discovery, text.error()));
  const auto document = parse_json(*text);
  if (!document || find_string(*document, "issuer") != issuer.url) co_return fail(no_key());
  const std::string keys_url(find_string(*document, "jwks_uri"));
  if (!may_fetch(keys_url, issuer.url)) co_return fail(no_key());
  text = co_await web_.get(keys_url, issuer.thumbprints);
  if (!text) co_return fail(translated(keys_url, text.error()));
  auto keys = parse_jwks(*text);
  if (!keys) co_return fail(no_key());
  co_return std::move(*keys);
}

}  // namespace pileus::services::sts
