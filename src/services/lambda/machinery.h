// Machinery: what every part of the engine needs and none of them owns. Made by the service.
#pragma once

#include <atomic>

#include "aws/door.h"
#include "net/server.h"
#include "sandbox/sandbox.h"
#include "services/lambda/code_store.h"
#include "services/lambda/log_shipper.h"
#include "services/lambda/options.h"
#include "services/lambda/runtimes.h"
#include "store/journals.h"
#include "store/records.h"

namespace pileus::services::lambda {

struct Machinery {
  store::Records& records;
  store::Blobs& blobs;
  store::Journals& journals;
  sandbox::Driver& driver;
  net::Loops& loops;
  net::HttpServer& server;
  aws::Sessions& sessions;
  Clock& clock;
  const RealTime& real;
  Random& random;
  net::Handler sandbox_endpoint;  // the AWS APIs, as a sandbox sees them
  const Options& options;
  CodeStore& code;
  Runtimes& runtimes;
  LogShipper& logs;
  Workers& workers;
  std::atomic<std::size_t> environments{0};  // with a function, on this machine
};

}  // namespace pileus::services::lambda
