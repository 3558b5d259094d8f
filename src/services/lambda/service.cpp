#include "services/lambda/service.h"

#include "base/log.h"
#include "base/text.h"
#include "services/lambda/impl.h"

namespace pileus::services::lambda {
namespace {

constexpr auto kDownloadLifetime = std::chrono::minutes(10);
constexpr std::size_t kMaxDownloads = 10'000;

}  // namespace

std::string code_user(const FunctionRef& ref, std::string_view version) {
  return str(ref.partition(), "|", ref.name, ":", version);
}

LambdaService::Impl::Impl(Dependencies dependencies, Options chosen)
    : given(std::move(dependencies)),
      options(std::move(chosen)),
      code(given.blobs, workers, options.state_directory),
      runtimes(workers, options),
      shipper(given.door, given.logs),
      machinery{given.records,          given.blobs,    given.journals, given.driver, given.loops,
                given.server,           given.sessions, given.clock,    given.real,   given.random,
                given.sandbox_endpoint, options,        code,           runtimes,     shipper},
      engine(machinery),
      events(machinery, engine) {}

LambdaService::LambdaService(Dependencies dependencies, Options options)
    : impl_(std::make_unique<Impl>(std::move(dependencies), std::move(options))) {}

LambdaService::~LambdaService() = default;

Task<Result<Unit>> LambdaService::start() {
  CO_TRY(impl_->code.open());
  CO_TRY_ASSIGN(const auto partitions, co_await impl_->given.records.partitions());
  for (const auto& partition : partitions) CO_TRY(co_await impl_->take_up(partition));
  impl_->code.users_known();
  co_return Unit{};
}

Task<Result<Unit>> LambdaService::Impl::take_up(std::string partition) {
  const auto slash = partition.find('/');
  if (slash == std::string::npos) co_return Unit{};
  FunctionRef ref{"aws", partition.substr(0, slash), partition.substr(slash + 1), "", ""};
  store::ScanOptions page_options;
  for (;;) {
    CO_TRY_ASSIGN(auto page,
                  co_await store::load_page<Function>(given.records, partition,
                                                      std::string(kFunctionPrefix), page_options));
    if (page.empty()) break;
    page_options.after = page.back().key;
    for (const auto& entry : page) {
      ref.name = entry.value.latest.name;
      use_content(ref, entry.value.latest);
    }
  }
  page_options = {};
  for (;;) {
    CO_TRY_ASSIGN(auto page,
                  co_await store::load_page<Configuration>(
                      given.records, partition, std::string(kVersionPrefix), page_options));
    if (page.empty()) break;
    page_options.after = page.back().key;
    for (const auto& entry : page) {
      ref.name = entry.value.name;
      use_content(ref, entry.value);
    }
  }
  page_options = {};
  for (;;) {
    CO_TRY_ASSIGN(auto page,
                  co_await store::load_page<LayerVersion>(
                      given.records, partition, std::string(kLayerVersionPrefix), page_options));
    if (page.empty()) break;
    page_options.after = page.back().key;
    for (const auto& entry : page)
      code.use(entry.value.code_id, layer_user({ref.arn_partition, ref.account, ref.region,
                                                entry.value.name, entry.value.version}));
  }
  CO_TRY_ASSIGN(const auto waiting, co_await events.resume(partition));
  if (waiting > 0)
    log::info("events wait since the last run",
              {{"partition", partition}, {"events", std::to_string(waiting)}});
  co_return Unit{};
}

Task<Result<Unit>> LambdaService::quiesce() { co_return co_await impl_->engine.quiesce(); }

Task<Result<Unit>> LambdaService::stop() {
  CO_TRY(co_await impl_->events.stop());
  co_return co_await impl_->engine.stop();
}

Task<Result<Unit>> LambdaService::reset() {
  CO_TRY(co_await impl_->events.reset());
  CO_TRY(co_await impl_->engine.reset());
  {
    std::lock_guard lock(impl_->mutex);
    impl_->downloads.clear();
  }
  co_return co_await impl_->code.reset();
}

Task<Result<Unit>> LambdaService::refresh_runtimes() {
  co_return co_await impl_->runtimes.discover();
}

Task<Result<Status>> LambdaService::status() {
  CO_TRY_ASSIGN(const EngineStats engine, co_await impl_->engine.stats());
  if (impl_->runtimes.names().empty()) CO_TRY(co_await impl_->runtimes.discover());
  const AsyncStats events = impl_->events.stats();
  const LogStats logs = impl_->shipper.stats();
  Status out;
  out.runtimes = impl_->runtimes.names();
  out.functions = engine.functions;
  out.environments = engine.environments;
  out.busy = engine.busy;
  out.frozen = engine.frozen;
  out.prewarmed = engine.prewarmed;
  out.waiting = engine.waiting;
  out.invocations = engine.invocations;
  out.errors = engine.errors;
  out.timeouts = engine.timeouts;
  out.throttles = engine.throttles;
  out.cold_starts = engine.cold_starts;
  out.events_waiting = events.waiting;
  out.events_running = events.running;
  out.events_accepted = events.accepted;
  out.events_succeeded = events.succeeded;
  out.events_retried = events.retried;
  out.events_dropped = events.dropped;
  out.last_dropped_event = events.last_drop;
  out.log_lines = logs.lines;
  out.log_lines_dropped = logs.dropped;
  out.log_lines_undelivered = logs.undelivered;
  out.last_log_failure = logs.last_failure;
  co_return out;
}

// --- records
// ---------------------------------------------------------------------------------------

Task<Result<store::Versioned<Function>>> LambdaService::Impl::load_function(FunctionRef ref) {
  CO_TRY_ASSIGN(auto found, co_await store::load<Function>(given.records, ref.partition(),
                                                           function_key(ref.name)));
  if (!found) co_return fail(no_function(ref));
  co_return std::move(*found);
}

Task<Result<Configuration>> LambdaService::Impl::load_configuration(FunctionRef ref) {
  std::string version = ref.qualifier;
  if (!version.empty() && !is_version(version)) {
    CO_TRY_ASSIGN(auto alias, co_await store::load<Alias>(given.records, ref.partition(),
                                                          alias_key(ref.name, version)));
    if (!alias) co_return fail(no_function(ref));
    version = alias->value.function_version;
  }
  if (version.empty() || version == kLatest) {
    CO_TRY_ASSIGN(auto function, co_await load_function(ref));
    co_return std::move(function.value.latest);
  }
  CO_TRY_ASSIGN(auto found, co_await store::load<Configuration>(
                                given.records, ref.partition(),
                                version_key(ref.name, parse_int(version).value_or(0))));
  if (!found) co_return fail(no_function(ref));
  co_return std::move(found->value);
}

Task<Result<std::string>> LambdaService::Impl::runtime_version(Configuration configuration) {
  const auto runtime = co_await runtimes.find(configuration.runtime, configuration.runtime_version);
  co_return runtime ? (*runtime)->version_id : std::string();
}

Task<Result<Function>> LambdaService::Impl::update_function(
    FunctionRef ref, std::function<Result<Unit>(Function&)> change) {
  std::function<Result<Unit>(std::optional<Function>&)> apply_change =
      [&ref, &change](std::optional<Function>& function) -> Result<Unit> {
    if (!function) return fail(no_function(ref));
    return change(*function);
  };
  CO_TRY_ASSIGN(auto saved, co_await store::update<Function>(given.records, ref.partition(),
                                                             function_key(ref.name), apply_change));
  CO_TRY(co_await engine.changed(ref));
  co_return std::move(saved->value);
}

Task<Result<Unit>> LambdaService::Impl::check_role(aws::Context& context, FunctionRef ref,
                                                   std::string role) {
  aws::Authorization pass;
  pass.action = "iam:PassRole";
  pass.resource = role;
  pass.conditions["iam:PassedToService"] = {"lambda.amazonaws.com"};
  pass.conditions["iam:AssociatedResourceArn"] = {ref.arn()};
  CO_TRY(co_await context.authorize(std::move(pass)));
  const auto parts = split(role, ':');
  if (parts.size() > 4 && parts[4] != ref.account)
    co_return fail(Error("AccessDeniedException", "Cross-account pass role is not allowed.", 403));
  aws::SessionRequest request;
  request.role_arn = role;
  request.session_name = ref.name;
  request.service = "lambda.amazonaws.com";
  request.source_arn = ref.arn();
  request.source_account = ref.account;
  auto session = co_await given.sessions.assume(std::move(request));
  if (!session)
    co_return fail(invalid("The role defined for the function cannot be assumed by Lambda."));
  co_return Unit{};
}

// --- downloads
// -------------------------------------------------------------------------------------

std::string LambdaService::Impl::download_url(const aws::Context& context,
                                              const std::string& blob) {
  const std::string token = hex_id(given.random, 48);
  const Time now = given.real.now();
  {
    std::lock_guard lock(mutex);
    std::erase_if(downloads, [&](const auto& entry) { return entry.second.until < now; });
    if (downloads.size() >= kMaxDownloads) downloads.erase(downloads.begin());
    downloads[token] = {blob, now + kDownloadLifetime};
  }
  std::string base = options.public_url;
  if (context.headers)
    for (const auto& [name, value] : *context.headers)
      if (iequals(name, "host"))
        base = str(context.secure_transport ? "https://" : "http://", value);
  return str(base, LambdaService::kCodePath, token);
}

Task<net::Response> LambdaService::serve_code(net::Request& request) {
  net::Response response;
  response.headers.add("Content-Type", "text/plain");
  const auto path = request.path();
  std::string blob;
  if (path.starts_with(kCodePath)) {
    std::lock_guard lock(impl_->mutex);
    const auto found = impl_->downloads.find(std::string(path.substr(kCodePath.size())));
    if (found != impl_->downloads.end() && found->second.until > impl_->given.real.now())
      blob = found->second.blob;
  }
  if (blob.empty() || (request.method != "GET" && request.method != "HEAD")) {
    response.status = 403;
    response.body = "This link to a function's code has expired. GetFunction gives a new one.\n";
    co_return response;
  }
  auto zip = co_await impl_->code.zip(blob);
  if (!zip) {
    response.status = 404;
    response.body = "The code is gone.\n";
    co_return response;
  }
  response.headers.set("Content-Type", "application/zip");
  response.body = std::move(*zip);
  co_return response;
}

}  // namespace pileus::services::lambda
