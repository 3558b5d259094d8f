// One HTTP call to a running server, waited for: for the command line only (it blocks its thread).
#pragma once

#include "app/commands.h"
#include "base/json.h"
#include "net/client.h"

namespace pileus::app {

// The admin interface (/_pileus/…): the answer's JSON, or an error that says what to do.
Result<Json> ask_admin(const Target& target, std::string method, std::string path,
                       std::string body = {});
// A JSON-protocol AWS call, signed with the account's number as the key: the owner's convenience.
Result<Json> ask_aws(const Target& target, std::string service, std::string operation_target,
                     const Json& input);

// An operation of a query service as the owner: the XML of its answer, or its error.
Result<std::string> ask_query(const Target& target, std::string service, std::string version,
                              std::vector<std::pair<std::string, std::string>> parameters);

}  // namespace pileus::app
