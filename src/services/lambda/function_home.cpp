#include "services/lambda/function_home.h"

#include "services/lambda/engine.h"
#include "services/lambda/policy_document.h"
#include "store/typed.h"

namespace pileus::services::lambda {
namespace {

constexpr std::size_t kMaxAccess = 256;                 // qualifiers whose policy is cached
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
    : shard_(shard),
      ref_(std::move(ref)),
      account_in_flight_(shard.engine().account_in_flight(ref_.account)) {
  ref_.qualifier.clear();
}

Error FunctionHome::missing(const std::string& qualifier) const {
  FunctionRef named = ref_;
  named.qualifier = qualifier;
  return no_function(named);
}

void FunctionHome::submit(std::unique_ptr<Invocation> invocation) {
  if (auto dispatcher = find(invocation->qualifier))
    return dispatcher->dispatch(std::move(invocation));
  shard_.tasks().spawn(load_and_submit(this, std::move(invocation)));
}

Task<void> FunctionHome::load_and_submit(FunctionHome* self,
                                         std::unique_ptr<Invocation> invocation) {
  Busy stays(*self);
  auto dispatcher = co_await self->load(invocation->qualifier);
  if (dispatcher)
    (*dispatcher)->dispatch(std::move(invocation));
  else
    invocation->done.complete(fail(std::move(dispatcher).error()));
}

std::shared_ptr<const Access> FunctionHome::known_access(const std::string& qualifier) const {
  const auto found = access_.find(qualifier);
  return found == access_.end() ? nullptr : found->second;
}

Task<Result<std::shared_ptr<const Access>>> FunctionHome::access(std::string qualifier) {
  Busy stays(*this);
  if (auto known = known_access(qualifier)) co_return known;
  auto& records = shard_.machinery().records;
  for (;;) {
    const auto generation = generation_;
    auto made = std::make_shared<Access>();
    CO_TRY_ASSIGN(auto policy, co_await store::load<ResourcePolicy>(
                                   records, ref_.partition(), policy_key(ref_.name, qualifier)));
    if (policy) made->policy = std::move(policy->value.document);
    CO_TRY_ASSIGN(const auto function, co_await store::load<Function>(records, ref_.partition(),
                                                                      function_key(ref_.name)));
    if (function)
      for (const auto& [key, value] : function->value.tags)
        made->tags["aws:ResourceTag/" + key] = {value};
    if (generation != generation_) continue;  // it changed while we read
    if (access_.size() >= kMaxAccess) access_.clear();
    access_.insert_or_assign(qualifier, made);
    co_return made;
  }
}

Task<Result<Unit>> FunctionHome::check(std::string qualifier) {
  Busy stays(*this);
  if (find(qualifier)) co_return Unit{};
  CO_TRY(co_await load(std::move(qualifier)));
  co_return Unit{};
}

// What the cache knows; nullptr: ask the records.
std::shared_ptr<Dispatcher> FunctionHome::find(const std::string& qualifier) {
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

Task<Result<std::shared_ptr<Dispatcher>>> FunctionHome::load(std::string qualifier) {
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

Task<Result<std::shared_ptr<Dispatcher>>> FunctionHome::load_version(std::string version) {
  auto& records = shard_.machinery().records;
  for (;;) {
    const auto generation = generation_;
    std::shared_ptr<const Configuration> found;
    if (version == kLatest) {
      CO_TRY_ASSIGN(auto function, co_await store::load<Function>(records, ref_.partition(),
                                                                  function_key(ref_.name)));
      if (function)
        found = std::make_shared<const Configuration>(std::move(function->value.latest));
    } else {
      const auto number = parse_int(version);
      CO_TRY_ASSIGN(auto loaded,
                    co_await store::load<Configuration>(
                        records, ref_.partition(), version_key(ref_.name, number.value_or(0))));
      if (loaded) found = std::make_shared<const Configuration>(std::move(loaded->value));
    }
    if (generation != generation_) continue;  // it changed while we read
    if (!found) co_return fail(missing(version == kLatest ? "" : version));
    co_return adopt(std::move(found));
  }
}

std::shared_ptr<Dispatcher> FunctionHome::adopt(
    std::shared_ptr<const Configuration> configuration) {
  const std::string version = configuration->version;
  auto& place = dispatchers_[version];
  valid_.insert(version);
  if (place && place->configuration().revision_id == configuration->revision_id) return place;
  auto old = std::exchange(place, std::make_shared<Dispatcher>(*this, std::move(configuration)));
  auto made = place;
  if (old) old->retire(std::nullopt);
  return made;
}

Task<Result<Unit>> FunctionHome::changed() {
  Busy stays(*this);
  ++generation_;
  access_.clear();
  aliases_.clear();
  valid_.clear();
  if (!session_role_.empty()) session_.reset();
  // Versions in use are read again now, so that what runs old code ends at once.
  std::vector<std::string> versions;
  for (const auto& [version, dispatcher] : dispatchers_) versions.push_back(version);
  for (const auto& version : versions) {
    auto loaded = co_await load_version(version);
    if (loaded || !loaded.error().is("ResourceNotFoundException")) continue;
    const auto found = dispatchers_.find(version);
    if (found == dispatchers_.end()) continue;
    auto gone = std::move(found->second);
    dispatchers_.erase(found);
    gone->retire(loaded.error());
  }
  co_return Unit{};
}

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
  access_.clear();
  valid_.clear();
  aliases_.clear();
  auto all = std::move(dispatchers_);
  dispatchers_.clear();
  for (const auto& [version, dispatcher] : all) dispatcher->kill();
}

}  // namespace pileus::services::lambda
