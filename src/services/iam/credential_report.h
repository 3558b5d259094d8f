// The credential report: a CSV of all users and the states of their credentials.
#pragma once

#include "services/iam/records.h"

namespace pileus::services::iam {

// One user's line, without its end. `key_uses` are last uses by access key id.
// Source: IAM User Guide, "Getting credential reports for your AWS account".
std::string report_row(const UserRecord& user, const std::optional<PasswordPolicyRecord>& policy,
                       const std::map<std::string, LastUsedRecord>& key_uses);

}  // namespace pileus::services::iam
