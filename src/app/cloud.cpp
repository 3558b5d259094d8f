#include "app/cloud.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>

#include "aws/guard.h"
#include "base/log.h"
#include "base/text.h"
#include "gen/iam/interface.h"
#include "gen/lambda/interface.h"
#include "gen/logs/client.h"
#include "gen/sts/interface.h"
#include "sandbox/process_driver.h"
#include "services/iam/service.h"
#include "services/lambda/service.h"
#include "services/logs/service.h"
#include "services/sts/service.h"
#include "store/file_blobs.h"
#include "store/file_journals.h"
#include "store/sqlite_records.h"

namespace pileus::app {

namespace {

Task<void> fulfil(Task<void> task, std::promise<void>& done) {
  co_await std::move(task);
  done.set_value();
}

// The folder of Lambda runtimes: beside the program when it is installed, else the build's.
std::string runtimes_folder() {
  std::error_code failed;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", failed);
  for (const auto& candidate :
       {program.parent_path() / "../share/pileus/runtimes", program.parent_path() / "../runtimes"})
    if (std::filesystem::is_directory(candidate, failed))
      return std::filesystem::canonical(candidate, failed).string();
  return "/usr/share/pileus/runtimes";
}

std::uint32_t starting_user() {
  // Under sudo the owner is who typed it.
  if (const char* sudo_uid = std::getenv("SUDO_UID"); sudo_uid && geteuid() == 0)
    if (const auto uid = parse_int(sudo_uid); uid && *uid > 0)
      return static_cast<std::uint32_t>(*uid);
  return geteuid();
}

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address.starts_with("[::1]") ||
         address.starts_with("localhost:") || address.starts_with("unix:");
}

}  // namespace

Cloud::Cloud(ServeOptions options, sandbox::Launcher& launcher)
    : options_(std::move(options)),
      launcher_(launcher),
      started_(real_.monotonic()),
      owner_uid_(starting_user()) {}

Cloud::~Cloud() = default;

Result<Unit> Cloud::start() {
  TRY_ASSIGN(data_, DataDir::open(options_.data.empty() ? default_data_dir() : options_.data));
  TRY(make_clock());
  TRY(open_stores());
  TRY(read_prices());
  loops_ = std::make_unique<net::Loops>(options_.threads);
  group_ = std::make_unique<TaskGroup>(loops_->at(0));
  server_ = std::make_unique<net::HttpServer>(*loops_, real_);
  sandbox_server_ = std::make_unique<net::HttpServer>(*loops_, real_);
  TRY(make_services());
  TRY(listen());
  return Unit{};
}

Result<Unit> Cloud::make_clock() {
  TRY_ASSIGN(const auto kept, data_->read("clock"));
  const auto then = kept ? parse_iso8601(trim(*kept)) : std::nullopt;
  const Time now = real_.now();
  if (options_.manual_clock) {
    manual_clock_ = std::make_unique<ManualClock>(then.value_or(now));
    clock_ = manual_clock_.get();
    if (!then) TRY(keep_clock(now));
  } else {
    real_clock_ =
        std::make_unique<RealClock>(real_, then && *then > now ? *then - now : Duration(0));
    clock_ = real_clock_.get();
  }
  return Unit{};
}

Result<Unit> Cloud::keep_clock(Time time) {
  return data_->write("clock", iso8601(time) + "\n", 0600);
}

Result<Unit> Cloud::open_stores() {
  store::SqliteOptions options;
  options.durability = options_.power_safe ? store::Durability::kFull : store::Durability::kNormal;
  TRY_ASSIGN(records_, store::make_sqlite_records(data_->at("records.db"), options));
  TRY_ASSIGN(journals_, store::make_file_journals(data_->at("journals"), {}));
  TRY_ASSIGN(blobs_, store::make_file_blobs(data_->at("blobs"), {}));
  return Unit{};
}

Result<Unit> Cloud::read_prices() {
  if (options_.prices.empty()) return Unit{};
  std::ifstream file(options_.prices);
  if (!file)
    return fail(std::string(errc::kIo), str("cannot read the price list ", options_.prices));
  std::stringstream text;
  text << file.rdbuf();
  TRY_ASSIGN(prices_, services::billing::parse_prices(text.str()));
  return Unit{};
}

Result<Unit> Cloud::make_services() {
  TRY_ASSIGN(const auto master, data_->master_key(random_));
  aws::DoorOptions door;
  door.account = options_.account;
  door.region = options_.region;
  door.owner_uid = owner_uid_;
  door.allowed_hosts = options_.allowed_hosts;
  door.allowed_origins = options_.allowed_origins;
  door_ = std::make_unique<aws::Door>(door, *clock_, real_, random_);

  const bool quotas = options_.aws_quotas;
  services::iam::IamOptions iam_options;
  iam_options.quotas = quotas ? services::iam::Quotas::kAws : services::iam::Quotas::kNone;
  iam_ =
      std::make_unique<services::iam::IamService>(*records_, real_, random_, master, iam_options);
  sts_ = std::make_unique<services::sts::StsService>(*iam_, *iam_, *clock_, real_, random_, master);
  authorizer_ = std::make_unique<aws::PolicyAuthorizer>(*iam_);
  door_->set_authority(*sts_, *authorizer_);
  logs_ = std::make_unique<services::logs::LogsService>(*records_, *journals_, *clock_, random_);
  logs_client_ = std::make_unique<gen::logs::LogsClient>(*door_);

  sandbox::ProcessOptions process;
  process.state_dir = data_->at("sandbox");
  driver_ = sandbox::make_process_driver(launcher_, std::move(process));
  services::lambda::Options lambda;
  lambda.state_directory = data_->at("lambda");
  lambda.runtimes_directory = options_.runtimes.empty() ? runtimes_folder() : options_.runtimes;
  lambda.quotas = quotas ? services::lambda::Quotas::kAws : services::lambda::Quotas::kNone;
  lambda.runtime_choice = options_.nearest_runtime ? services::lambda::RuntimeChoice::kNearest
                                                   : services::lambda::RuntimeChoice::kExact;
  lambda.prewarm = options_.prewarm;
  lambda.max_environments = options_.max_environments;
  lambda.owner_uid = owner_uid_;
  auto* door_of_sandboxes = door_.get();
  lambda_ = std::make_unique<services::lambda::LambdaService>(
      services::lambda::Dependencies{
          *records_, *blobs_, *journals_, *driver_, *loops_, *sandbox_server_, *door_, *sts_,
          *logs_client_, *clock_, real_, random_,
          [door_of_sandboxes] [[clang::coro_wrapper]] (net::Request & request) {
            return door_of_sandboxes->handle(request, aws::Trust::kVerified);
          }},
      lambda);

  door_->add(gen::iam::kService, static_cast<gen::iam::Iam*>(iam_.get()));
  door_->add(gen::sts::kService, static_cast<gen::sts::Sts*>(sts_.get()));
  door_->add(gen::logs::kService, static_cast<gen::logs::Logs*>(logs_.get()));
  door_->add(gen::lambda::kService, static_cast<gen::lambda::Lambda*>(lambda_.get()));
  return Unit{};
}

Result<Unit> Cloud::listen() {
  std::promise<Result<Unit>> ready;
  run_and_wait(start_services(ready));
  TRY(ready.get_future().get());
  TRY_ASSIGN(auto identity, data_->tls(real_.now(), random_));
  auto* self = this;
  for (const auto& address : options_.listen) {
    net::HttpServer::ListenOptions options;
    options.info.name = "public";
    options.info.loopback = is_loopback(address);
    options.tls = identity;
    // A wildcard right under `localhost` is refused by clients: such names get certificates of
    // their own.
    options.tls_by_name = [self](const std::string& name) { return self->certificate_for(name); };
    options.place = [self](const net::Request& request) { return self->lambda_->place(request); };
    TRY_ASSIGN(auto bound, server_->listen(
                               address,
                               [self] [[clang::coro_wrapper]] (net::Request & request) {
                                 return self->serve(request);
                               },
                               std::move(options)));
    addresses_.push_back(std::move(bound));
  }
  return Unit{};
}

std::optional<net::TlsIdentity> Cloud::certificate_for(const std::string& name) const {
  if (!aws::host_is_ours(name, options_.allowed_hosts)) return std::nullopt;
  auto identity = data_->leaf(name, real_.now(), random_);
  if (!identity) return std::nullopt;
  return std::move(*identity);
}

Task<void> Cloud::start_services(std::promise<Result<Unit>>& ready) {
  group_->spawn(logs_->keep_house());
  group_->spawn(save_uses());
  ready.set_value(co_await lambda_->start());
}

// When keys and roles were last used is written down now and then; what is not yet goes with a
// crash.
Task<void> Cloud::save_uses() {
  while (co_await sleep_for(std::chrono::minutes(1))) {
    if (const auto saved = co_await iam_->save_last_uses(); !saved)
      log::warn("last uses were not saved", {{"why", saved.error().message()}});
  }
}

Task<net::Response> Cloud::serve(net::Request& request) {
  if (request.path().starts_with("/_pileus/")) co_return co_await admin(request);
  const auto trust = request.listener->loopback ? aws::Trust::kOwner : aws::Trust::kVerified;
  co_return co_await door_->handle(request, trust);
}

void Cloud::run_and_wait(Task<void> task) {
  std::promise<void> done;
  group_->spawn(fulfil(std::move(task), done));
  done.get_future().wait();
}

Task<void> Cloud::stop_services() {
  (void)co_await lambda_->quiesce();
  co_await server_->drain(kPatience);
  (void)co_await lambda_->stop();
  (void)co_await iam_->save_last_uses();
  group_->stop();
}

void Cloud::stop() {
  if (!group_) return;
  if (lambda_) run_and_wait(stop_services());
  lambda_.reset();
  driver_.reset();
  sandbox_server_.reset();
  server_.reset();
  // What was asked to stop ends in steps of the loop; then the groups go, on theirs.
  auto closing = std::make_unique<TaskGroup>(loops_->at(0));
  std::promise<void> closed, gone;
  closing->spawn(fulfil(group_->close(), closed));
  closed.get_future().wait();
  loops_->at(0).post([&] {
    group_.reset();
    closing.reset();
    gone.set_value();
  });
  gone.get_future().wait();
  loops_->stop();
}

std::string default_data_dir() {
  if (geteuid() == 0) return "/var/lib/pileus";
  if (const char* state = std::getenv("XDG_STATE_HOME")) return str(state, "/pileus");
  const char* home = std::getenv("HOME");
  return str(home ? home : ".", "/.local/state/pileus");
}

}  // namespace pileus::app
