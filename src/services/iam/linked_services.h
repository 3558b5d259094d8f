// The services whose service-linked roles can be made: how the roles are called, and which of AWS's
// policies they carry. Data; source: the services' documentation ("Using service-linked roles").
#pragma once

#include <string_view>

namespace pileus::services::iam {

struct LinkedService {
  std::string_view principal;    // "ecs.amazonaws.com"
  std::string_view role;         // what follows "AWSServiceRoleFor"
  std::string_view policy;       // name, under /aws-service-role/
  std::string_view description;  // of the role
  bool custom_suffix = false;    // several roles, told apart by a suffix
};
const LinkedService* find_linked_service(std::string_view principal);

}  // namespace pileus::services::iam
