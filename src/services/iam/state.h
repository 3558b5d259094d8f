// What the operations of the room share. Made and owned by IamService; any loop.
#pragma once

#include <atomic>

#include "aws/cache.h"
#include "services/iam/records.h"
#include "services/iam/service.h"
#include "store/worker.h"

namespace pileus::services::iam {

struct IamState {
  template <class Value>
  using ByText = aws::Cache<std::string, Value>;

  static constexpr std::size_t kCachedKeys = 65536;
  static constexpr std::size_t kCachedUnknownKeys = 1024;  // cannot push known ones out
  static constexpr std::chrono::nanoseconds kBelieveUnknown = std::chrono::seconds(1);
  static constexpr std::size_t kCachedPrincipals = 16384;
  static constexpr std::size_t kNotedUses = 65536;  // what comes above is not noted

  IamState(store::Records& records_, const RealTime& real_, Random& random_,
           const aws::MasterKey& master, IamOptions options_)
      : records(records_),
        real(real_),
        random(random_),
        options(options_),
        sealer(master, "iam access key secrets", random_),
        secrets(master, "iam user secrets", random_) {}

  store::Records& records;
  const RealTime& real;
  Random& random;
  const IamOptions options;
  const aws::Sealer sealer;
  const aws::Sealer secrets;            // passwords' hashes, seeds, private keys
  store::Worker hashing{"iam-hashes"};  // hashing a password takes some 20 ms of a processor

  ByText<std::shared_ptr<const aws::Credential>> keys{kCachedKeys};  // by access key id
  ByText<bool> unknown_keys{kCachedUnknownKeys};                     // by access key id
  ByText<std::shared_ptr<const aws::PrincipalPolicies>> policies{kCachedPrincipals};  // by ARN#id
  // The same with managed session policies: by ARN#id|policy ARNs; a change of anything clears it.
  ByText<std::shared_ptr<const aws::PrincipalPolicies>> session_policies{kCachedPrincipals};
  ByText<std::shared_ptr<const aws::RoleFacts>> roles{kCachedPrincipals};  // by ARN
  ByText<std::shared_ptr<const aws::UserFacts>> users{kCachedPrincipals};  // by ARN
  std::atomic<std::uint64_t> generation{1};
  std::atomic<std::uint64_t> policies_version{0};

  std::mutex uses_mutex;  // guards uses
  struct Use {
    std::string partition;
    std::string owner;  // key of the record without which the use is forgotten
    LastUsedRecord record;
  };
  std::unordered_map<std::string, Use> uses;  // by record key; not yet written

  // A record was committed: drops what came from it. Before it was made and after it was deleted a
  // record is empty.
  template <class T>
  void changed(const T& before, const T& now) {
    changed(before);
    changed(now);
  }
  void changed(const PolicyRecord& before, const PolicyRecord& now);
  void changed(const UserRecord& user);
  void changed(const GroupRecord& group);
  void changed(const RoleRecord& role);
  void changed(const ProfileRecord&) {}
  void changed(const MfaRecord&) {}
  void changed(const ServerCertificateRecord&) {}
  void changed(const OidcProviderRecord&) {}
  void changed(const SamlProviderRecord&) {}
  void forget();

  static std::string principal_key(std::string_view arn, std::string_view id) {
    return str(arn, '#', id);
  }

  ByText<bool>::Instant expiry() const { return real.monotonic() + options.cache_lifetime; }
  bool quotas() const { return options.quotas == Quotas::kAws; }
  void note_use(const std::string& row, const std::string& account, const std::string& owner,
                LastUsedRecord use);
};

}  // namespace pileus::services::iam
