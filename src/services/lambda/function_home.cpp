#include "services/lambda/function_home.h"

#include <limits>

#include "services/lambda/engine.h"
#include "store/typed.h"

namespace pileus::services::lambda {
namespace {

constexpr auto kSessionMargin = std::chrono::hours(1);  // renewed so long before its end

// Keeps a home in its shard while a task works for it.
class Busy {
 public:
  explicit Busy(FunctionHome& home) : home_(home) { ++home_.busy; }
  ~Busy() {
    --home_.busy;
    home_.shard().forget_if_empty(home_.ref().arn());
  }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  FunctionHome& home_;
};

}  // namespace

FunctionHome::FunctionHome(Shard& shard, FunctionRef ref)
    : shard_(shard), ref_(std::move(ref)), account_(shard.engine().account(ref_.partition())) {
  ref_.qualifier.clear();
}

Error FunctionHome::missing(const std::string& qualifier) const {
  FunctionRef named = ref_;
  named.qualifier = qualifier;
  return no_function(named);
}

// --- events --------------------------------------------------------------------------------------

namespace {

Result<Unit> check_tenant(const Configuration& configuration, const std::string& tenant) {
  if (configuration.tenancy.empty() && !tenant.empty()) return fail(tenant_forbidden());
  if (!configuration.tenancy.empty() && tenant.empty()) return fail(tenant_missing());
  return Unit{};
}

}  // namespace

void FunctionHome::submit(std::unique_ptr<Invocation> invocation) {
  if (hot_ && hot_->changed()) {
    hot_.reset();
    replace(std::string(kLatest));
  }
  if (auto dispatcher = find(invocation->qualifier))
    return deliver(std::move(dispatcher), std::move(invocation));
  shard_.tasks().spawn(load_and_submit(this, std::move(invocation)));
}

Task<void> FunctionHome::load_and_submit(FunctionHome* self,
                                         std::unique_ptr<Invocation> invocation) {
  Busy stays(*self);
  auto dispatcher = co_await self->load(invocation->qualifier);
  if (dispatcher)
    self->deliver(std::move(*dispatcher), std::move(invocation));
  else
    invocation->done.complete(fail(std::move(dispatcher).error()));
}

void FunctionHome::deliver(DispatcherPtr dispatcher, std::unique_ptr<Invocation> invocation) {
  if (auto fits = check_tenant(dispatcher->configuration(), invocation->tenant); !fits)
    return invocation->done.complete(fail(std::move(fits).error()));
  if (!invocation->tenant.empty()) {
    dispatcher = of_tenant(dispatcher, invocation->tenant);
    if (!dispatcher) return invocation->done.complete(fail(throttled(Throttle::kConcurrency)));
  }
  dispatcher->dispatch(std::move(invocation));
}

// Tenants share nothing but the configuration: each has a dispatcher, and so environments, of its
// own. nullptr: too many of them at work.
FunctionHome::DispatcherPtr FunctionHome::of_tenant(const DispatcherPtr& base,
                                                    const std::string& tenant) {
  auto& place = dispatchers_[base->configuration().version + "\n" + tenant];
  if (place) return place;
  if (dispatchers_.size() > kMaxTenants) {
    dispatchers_.erase(base->configuration().version + "\n" + tenant);
    return nullptr;
  }
  place = std::make_shared<Dispatcher>(*this, base->shared_configuration(), tenant);
  return place;
}

void FunctionHome::forget_unused_tenants() {
  std::vector<DispatcherPtr> gone;  // their ends come back here
  for (auto at = dispatchers_.begin(); at != dispatchers_.end();) {
    const bool unused = at->first.find('\n') != std::string::npos && at->second->unused();
    if (unused) gone.push_back(std::move(at->second));
    at = unused ? dispatchers_.erase(at) : std::next(at);
  }
}

Task<Result<Unit>> FunctionHome::check(std::string qualifier, std::string tenant) {
  Busy stays(*this);
  auto dispatcher = find(qualifier);
  if (!dispatcher) {
    CO_TRY_ASSIGN(dispatcher, co_await load(std::move(qualifier)));
  }
  co_return check_tenant(dispatcher->configuration(), tenant);
}

std::optional<Throttle> FunctionHome::admit(Invocation& invocation, std::int64_t& version,
                                            int provisioned) {
  constexpr Nanoseconds kSecond = std::chrono::seconds(1);
  const bool quotas = shard_.machinery().options.quotas == Quotas::kAws;
  const bool rated = quotas && !invocation.later;
  if (const auto reserved = concurrency_.reserved) {
    if (in_flight_ >= *reserved) return Throttle::kReservedConcurrency;
    if (rated && !rate_.take(shard_.now(), kSecond, std::int64_t{kRequestsPerPlace} * *reserved))
      return Throttle::kReservedRate;
    invocation.permit = Permit(in_flight_, version, nullptr);
    return std::nullopt;
  }
  if (rated && !account_.rate.take(shard_.now(), kSecond, kRequestsPerPlace * kAccountConcurrency))
    return Throttle::kFunctionRate;
  const bool own_place = version < provisioned;
  const std::int64_t most =
      quotas ? kAccountConcurrency - account_.claimed : std::numeric_limits<std::int64_t>::max();
  if (!own_place && !account_.take(most)) return Throttle::kConcurrency;
  invocation.permit = Permit(in_flight_, version, own_place ? nullptr : &account_.in_flight);
  return std::nullopt;
}

bool FunctionHome::may_grow() {
  return shard_.machinery().options.quotas != Quotas::kAws || growth_.take(shard_.now());
}

// --- records -------------------------------------------------------------------------------------

// What the cache knows; nullptr: ask the records.
FunctionHome::DispatcherPtr FunctionHome::find(const std::string& qualifier) {
  std::string version = qualifier.empty() ? std::string(kLatest) : qualifier;
  if (!is_version(version)) {
    const auto alias = aliases_.find(version);
    if (alias == aliases_.end()) return nullptr;
    version = version_of(alias->second);
  }
  if (!valid_.contains(version)) return nullptr;
  const auto found = dispatchers_.find(version);
  return found == dispatchers_.end() ? nullptr : found->second;
}

// An alias with weights sends each event by chance to one of its versions.
std::string FunctionHome::version_of(const Alias& alias) {
  if (alias.weights.empty()) return alias.function_version;
  double chance = shard_.machinery().random.unit();
  for (const auto& [version, weight] : alias.weights) {
    if (chance < weight) return version;
    chance -= weight;
  }
  return alias.function_version;
}

Task<Result<FunctionHome::DispatcherPtr>> FunctionHome::load(std::string qualifier) {
  if (qualifier.empty() || is_version(qualifier))
    co_return co_await load_version(qualifier.empty() ? std::string(kLatest) : qualifier);
  if (const auto known = aliases_.find(qualifier); known != aliases_.end())
    co_return co_await load_version(version_of(known->second));
  const auto generation = generation_;
  CO_TRY_ASSIGN(auto alias,
                co_await store::load<Alias>(shard_.machinery().records, ref_.partition(),
                                            alias_key(ref_.name, qualifier)));
  if (!alias) co_return fail(missing(qualifier));
  const std::string version = version_of(alias->value);
  if (generation == generation_) aliases_.insert_or_assign(qualifier, std::move(alias->value));
  co_return co_await load_version(version);
}

Task<Result<FunctionHome::DispatcherPtr>> FunctionHome::load_version(std::string version) {
  auto& records = shard_.machinery().records;
  for (;;) {
    const auto generation = generation_;
    CO_TRY_ASSIGN(auto function, co_await store::load<Function>(records, ref_.partition(),
                                                                function_key(ref_.name)));
    std::shared_ptr<const Configuration> found;
    if (function && version == kLatest) {
      found = std::make_shared<const Configuration>(std::move(function->value.latest));
    } else if (function) {
      const auto number = parse_int(version);
      CO_TRY_ASSIGN(auto loaded,
                    co_await store::load<Configuration>(
                        records, ref_.partition(), version_key(ref_.name, number.value_or(0))));
      if (loaded) found = std::make_shared<const Configuration>(std::move(loaded->value));
    }
    if (generation != generation_) continue;  // it changed while we read
    if (!found) co_return fail(missing(version == kLatest ? "" : version));
    concurrency_ = std::move(function->value.concurrency);
    if (version == kLatest) CO_TRY(co_await watch(found->code_folder));
    if (generation != generation_) continue;
    co_return adopt(std::move(found));
  }
}

// Before the first environment starts, so that no edit is missed.
Task<Result<Unit>> FunctionHome::watch(std::string folder) {
  if (folder.empty()) hot_.reset();
  if (folder.empty() || (hot_ && hot_->path() == folder)) co_return Unit{};
  std::move_only_function<Result<std::unique_ptr<HotFolder>>()> work =
      [folder, owner = shard_.machinery().options.owner_uid] {
        return HotFolder::open(folder, owner);
      };
  CO_TRY_ASSIGN(auto opened, co_await shard_.machinery().workers.run<std::unique_ptr<HotFolder>>(
                                 std::move(work)));
  if (!hot_ || hot_->path() != folder) hot_ = std::move(opened);
  co_return Unit{};
}

Task<Result<std::string>> FunctionHome::code_folder(const Configuration& configuration) {
  auto& machinery = shard_.machinery();
  if (configuration.code_folder.empty())
    co_return co_await machinery.code.folder(configuration.code_id);
  std::move_only_function<Result<std::string>()> work = [folder = configuration.code_folder,
                                                         owner = machinery.options.owner_uid] {
    return HotFolder::check(folder, owner);
  };
  co_return co_await machinery.workers.run<std::string>(std::move(work));
}

std::vector<FunctionHome::DispatcherPtr> FunctionHome::take(const std::string& version) {
  std::vector<DispatcherPtr> taken;
  for (auto at = dispatchers_.begin(); at != dispatchers_.end();) {
    const bool its = at->first == version || at->first.starts_with(version + "\n");
    if (its) taken.push_back(std::move(at->second));
    at = its ? dispatchers_.erase(at) : std::next(at);
  }
  return taken;
}

FunctionHome::DispatcherPtr FunctionHome::adopt(
    std::shared_ptr<const Configuration> configuration) {
  const std::string version = configuration->version;
  valid_.insert(version);
  if (const auto known = dispatchers_.find(version);
      known != dispatchers_.end() &&
      known->second->configuration().revision_id == configuration->revision_id)
    return known->second;
  const auto old = take(version);
  auto made = std::make_shared<Dispatcher>(*this, std::move(configuration));
  dispatchers_.emplace(version, made);
  for (const auto& dispatcher : old) dispatcher->retire(std::nullopt);
  return made;
}

// The same version anew, in other environments.
void FunctionHome::replace(const std::string& version) {
  valid_.erase(version);
  for (const auto& dispatcher : take(version)) dispatcher->retire(std::nullopt);
}

Task<Result<Unit>> FunctionHome::changed() {
  Busy stays(*this);
  ++generation_;
  aliases_.clear();
  valid_.clear();
  if (!session_role_.empty()) session_.reset();
  // Versions in use are read again now, so that what runs old code ends at once.
  std::vector<std::string> versions;
  for (const auto& [version, dispatcher] : dispatchers_)
    if (version.find('\n') == std::string::npos) versions.push_back(version);
  for (const auto& version : versions) {
    auto loaded = co_await load_version(version);
    if (loaded || !loaded.error().is("ResourceNotFoundException")) continue;
    for (const auto& gone : take(version)) gone->retire(loaded.error());
  }
  co_return co_await provide();
}

Task<Result<Unit>> FunctionHome::provide() {
  Busy stays(*this);
  auto& records = shard_.machinery().records;
  for (;;) {
    const auto generation = generation_;
    CO_TRY_ASSIGN(const auto function, co_await store::load<Function>(records, ref_.partition(),
                                                                      function_key(ref_.name)));
    if (!function) co_return Unit{};
    std::map<std::string, Alias> aliases;
    for (const auto& [qualifier, provisioned] : function->value.concurrency.provisioned) {
      if (is_version(qualifier)) continue;
      CO_TRY_ASSIGN(auto alias, co_await store::load<Alias>(records, ref_.partition(),
                                                            alias_key(ref_.name, qualifier)));
      if (alias) aliases.emplace(qualifier, std::move(alias->value));
    }
    if (generation != generation_) continue;
    concurrency_ = function->value.concurrency;
    const Shares targets = provisioned_targets(concurrency_, aliases);
    std::vector<DispatcherPtr> others;
    for (const auto& [version, dispatcher] : dispatchers_)
      if (!targets.contains(version)) others.push_back(dispatcher);
    for (const auto& dispatcher : others) dispatcher->provide(0, true);
    for (const auto& [version, target] : targets) {
      auto dispatcher = co_await load_version(version);
      if (generation != generation_) break;  // whoever changed it provides as well
      if (dispatcher) (*dispatcher)->provide(target, true);
    }
    co_return Unit{};
  }
}

ProvisionedStates FunctionHome::provisioned() const {
  ProvisionedStates out;
  for (const auto& [version, dispatcher] : dispatchers_) out[version] = dispatcher->provisioned();
  return out;
}

// --- debugging -----------------------------------------------------------------------------------

void FunctionHome::debug(std::shared_ptr<DebugPort> port) {
  Busy stays(*this);
  debug_ = std::move(port);
  replace(std::string(kLatest));
}

Task<Result<std::shared_ptr<Environment>>> FunctionHome::obtain(
    std::shared_ptr<const Runtime> runtime) {
  if (!debug_) co_return co_await Shard::obtain(&shard_, std::move(runtime));
  auto environment = std::make_shared<Environment>(shard_, std::move(runtime), debug_);
  CO_TRY(co_await environment->start());
  co_return environment;
}

// -------------------------------------------------------------------------------------------------

Task<Result<std::shared_ptr<const aws::Session>>> FunctionHome::session(std::string role) {
  auto& machinery = shard_.machinery();
  if (session_ && session_role_ == role &&
      session_->expires - kSessionMargin > machinery.real.now())
    co_return session_;
  aws::SessionRequest request;
  request.role_arn = role;
  request.session_name = ref_.name;
  request.service = "lambda.amazonaws.com";
  request.source_arn = ref_.arn();
  request.source_account = ref_.account;
  auto made = co_await machinery.sessions.assume(std::move(request));
  if (!made)
    co_return fail(Error("AccessDeniedException",
                         "The role defined for the function cannot be assumed by Lambda.", 403));
  session_ = std::make_shared<const aws::Session>(std::move(*made));
  session_role_ = role;
  co_return session_;
}

void FunctionHome::kill() {
  ++generation_;
  valid_.clear();
  aliases_.clear();
  hot_.reset();
  debug_.reset();
  auto all = std::move(dispatchers_);
  dispatchers_.clear();
  for (const auto& [version, dispatcher] : all) dispatcher->kill();
}

}  // namespace pileus::services::lambda
