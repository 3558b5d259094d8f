#include "services/lambda/test_support.h"

#include <archive.h>
#include <archive_entry.h>

namespace pileus::services::lambda::testing {

std::string zip_of(std::vector<std::pair<std::string, std::string>> files) {
  std::string out(1 << 20, '\0');
  std::size_t used = 0;
  archive* zip = archive_write_new();
  archive_write_set_format_zip(zip);
  archive_write_open_memory(zip, out.data(), out.size(), &used);
  for (const auto& [name, content] : files) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0755);
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    archive_write_header(zip, entry);
    archive_write_data(zip, content.data(), content.size());
    archive_entry_free(entry);
  }
  archive_write_close(zip);
  archive_write_free(zip);
  out.resize(used);
  return out;
}

ApiConnection::ApiConnection(std::uint16_t port)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) close();
}

void ApiConnection::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

std::string ApiConnection::ask(const std::string& method, const std::string& path,
                               const std::string& body, const std::string& headers) {
  const std::string request = str(method, " ", path, " HTTP/1.1\r\nHost: runtime\r\n", headers,
                                  "Content-Length: ", body.size(), "\r\n\r\n", body);
  for (std::size_t at = 0; at < request.size();) {
    const auto sent = ::send(fd_, request.data() + at, request.size() - at, MSG_NOSIGNAL);
    if (sent <= 0) return {};
    at += static_cast<std::size_t>(sent);
  }
  std::string answer;
  std::size_t wanted = std::string::npos;
  while (answer.size() < wanted) {
    char buffer[65536];
    const auto got = ::recv(fd_, buffer, sizeof buffer, 0);
    if (got <= 0) return {};
    answer.append(buffer, static_cast<std::size_t>(got));
    const auto end = answer.find("\r\n\r\n");
    if (end == std::string::npos) continue;
    wanted =
        end + 4 + static_cast<std::size_t>(parse_int(header(answer, "content-length")).value_or(0));
  }
  return answer;
}

std::string ApiConnection::header(const std::string& answer, std::string_view name) {
  for (const auto line : split(answer.substr(0, answer.find("\r\n\r\n")), '\n')) {
    const auto colon = line.find(':');
    if (colon != std::string_view::npos && iequals(line.substr(0, colon), name))
      return std::string(trim(line.substr(colon + 1)));
  }
  return {};
}

Actors::~Actors() {
  for (auto& thread : threads_) thread.join();
}

void Actors::act(std::shared_ptr<sandbox::FakeWorkload> workload, int process) {
  std::lock_guard lock(mutex_);
  const int number = started_++;
  threads_.emplace_back([this, workload, number, process] { play(workload, number, process); });
}

void Actors::play(std::shared_ptr<sandbox::FakeWorkload> workload, int number, int process) {
  const Reply first = on_init(number);
  if (!first.say.empty()) workload->say(first.say, process);
  if (first.kind == Reply::Kind::kExit) return workload->exit(first.exit, process);
  if (first.kind == Reply::Kind::kHang) return;
  const std::string base = "/2018-06-01/runtime/";
  ApiConnection connection(workload->port("runtime"));
  if (first.kind == Reply::Kind::kError) {
    connection.ask("POST", base + "init/error", first.body,
                   "Lambda-Runtime-Function-Error-Type: Runtime.ImportModuleError\r\n");
    return workload->exit({.code = 1}, process);
  }
  for (;;) {
    const std::string answer = connection.ask("GET", base + "invocation/next", "");
    if (answer.empty() || !answer.starts_with("HTTP/1.1 200")) return;
    Event event;
    event.id = ApiConnection::header(answer, "Lambda-Runtime-Aws-Request-Id");
    event.arn = ApiConnection::header(answer, "Lambda-Runtime-Invoked-Function-Arn");
    event.deadline_ms = ApiConnection::header(answer, "Lambda-Runtime-Deadline-Ms");
    event.trace = ApiConnection::header(answer, "Lambda-Runtime-Trace-Id");
    event.client_context = ApiConnection::header(answer, "Lambda-Runtime-Client-Context");
    event.payload = answer.substr(answer.find("\r\n\r\n") + 4);
    const Reply reply = on_event(event);
    if (!reply.say.empty()) workload->say(reply.say, process);
    if (reply.kind == Reply::Kind::kExit) return workload->exit(reply.exit, process);
    if (reply.kind == Reply::Kind::kHang) return;
    const bool error = reply.kind == Reply::Kind::kError;
    connection.ask("POST", str(base, "invocation/", event.id, error ? "/error" : "/response"),
                   reply.body);
  }
}

Task<Result<Unit>> LogSink::call(aws::Context&, const aws::Service&,
                                 const aws::Operation& operation, void* input, void*) {
  std::lock_guard lock(mutex_);
  if (denied_)
    co_return fail("AccessDeniedException",
                   "User: the role is not authorized to perform: logs:CreateLogStream", 400);
  if (std::string_view(operation.name) == "PutLogEvents") {
    const auto& put = *static_cast<gen::logs::PutLogEventsInput*>(input);
    streams_.push_back(put.log_group_name + " " + put.log_stream_name);
    for (const auto& event : put.log_events) lines_.push_back(event.message);
  }
  co_return Unit{};
}
std::vector<std::string> LogSink::lines() const {
  std::lock_guard lock(mutex_);
  return lines_;
}
std::vector<std::string> LogSink::streams() const {
  std::lock_guard lock(mutex_);
  return streams_;
}
void LogSink::deny(bool on) {
  std::lock_guard lock(mutex_);
  denied_ = on;
}

Task<Result<Unit>> AllowAll::authorize(const aws::Context&, aws::Authorization request) {
  std::lock_guard lock(mutex_);
  asked_.push_back(request.action + " " + request.resource);
  co_return Unit{};
}
std::vector<std::string> AllowAll::asked() const {
  std::lock_guard lock(mutex_);
  return asked_;
}

Task<Result<aws::Session>> FakeSessions::assume(aws::SessionRequest request) {
  ++assumed;
  if (refuse) co_return fail("AccessDenied", "not authorized to perform: sts:AssumeRole", 403);
  aws::Session session;
  session.access_key_id = "ASIAEXAMPLE";
  session.secret_access_key = "secret";
  session.session_token = "token";
  session.expires = SystemTime().now() + std::chrono::hours(12);
  auto identity = std::make_shared<aws::Identity>();
  identity->type = aws::Identity::Type::kAssumedRole;
  identity->account = "000000000000";
  identity->role_arn = request.role_arn;
  identity->session_name = request.session_name;
  session.identity = std::move(identity);
  co_return session;
}

Bed::Bed(std::function<void(Options&)> adjust) {
  door.set_authority(keys, authorizer);
  group_ = std::make_unique<TaskGroup>(loops.at(0));
  options.state_directory = folder.path();
  options.runtimes_directory = folder.path() + "/runtimes";
  options.prewarm = 0;
  adjust(options);
  driver.on_assign(
      [this](std::shared_ptr<sandbox::FakeWorkload> workload) { actors.act(std::move(workload)); });
  driver.on_spawn([this](std::shared_ptr<sandbox::FakeWorkload> workload, int process) {
    const std::string program = workload->beside().at(process).process.argv.at(0);
    if (!program.starts_with("/opt/extensions/"))
      actors.act(std::move(workload), process);
    else if (on_extension)
      on_extension(workload, process, program.substr(16));
  });
  make();
}

void Bed::make() {
  service = std::make_unique<LambdaService>(Dependencies{*records,
                                                         *blobs,
                                                         *journals,
                                                         driver,
                                                         loops,
                                                         server,
                                                         door,
                                                         sessions,
                                                         logs,
                                                         clock,
                                                         real,
                                                         random,
                                                         {}},
                                            options);
  auto started = run(service->start());
  EXPECT_TRUE(started) << started.error().message();
}

Bed::~Bed() {
  if (service) run(service->stop());
  // Whatever the tasks' last holders are, they end on the loop.
  std::promise<void> idle;
  loops.at(0).post([&] { idle.set_value(); });
  idle.get_future().wait();
  service.reset();
  loops.stop();
}

void Bed::restart() {
  run(service->stop());
  service.reset();
  make();
}

aws::Context Bed::context() {
  static const auto root = [] {
    auto identity = std::make_shared<aws::Identity>();
    identity->type = aws::Identity::Type::kRoot;
    identity->account = "000000000000";
    return identity;
  }();
  char id[64];
  std::snprintf(id, sizeof id, "8c2f0000-0000-4000-8000-%012d", requests_.fetch_add(1) + 1);
  return aws::Context(authorizer, root, "000000000000", "us-east-1", id, clock.now());
}

Result<gen::lambda::CreateFunctionOutput> Bed::create(
    const std::string& name, std::function<void(gen::lambda::CreateFunctionInput&)> adjust) {
  gen::lambda::CreateFunctionInput in;
  in.function_name = name;
  in.runtime = "provided.al2023";
  in.handler = "main.handler";
  in.role = "arn:aws:iam::000000000000:role/r";
  in.code.zip_file = zip_of({{"bootstrap", "#!/bin/sh\n"}});
  if (adjust) adjust(in);
  auto call = context();
  return run(service->create_function(call, std::move(in)));
}

Result<gen::lambda::InvokeOutput> Bed::invoke(
    const std::string& name, const std::string& payload,
    std::function<void(gen::lambda::InvokeInput&)> adjust) {
  gen::lambda::InvokeInput in;
  in.function_name = name;
  in.payload = payload;
  if (adjust) adjust(in);
  auto call = context();
  return run(service->invoke(call, std::move(in)));
}

namespace {
Task<Result<Unit>> advanced(ManualClock* clock, Duration by) {
  co_await clock->advance(by);
  co_return Unit{};
}
}  // namespace

namespace {
Task<void> invoke_only(LambdaService* service, aws::Context* context, gen::lambda::InvokeInput in) {
  auto out = co_await service->invoke(*context, std::move(in));
  EXPECT_FALSE(out);
}
Task<Result<Unit>> closed(TaskGroup* group) {
  co_await group->close();
  co_return Unit{};
}
}  // namespace

void Bed::call_and_leave(aws::Context& call, const std::string& name, std::future<void> arrived) {
  gen::lambda::InvokeInput in;
  in.function_name = name;
  TaskGroup caller(loops.at(0));
  caller.spawn(invoke_only(service.get(), &call, std::move(in)));
  arrived.wait();
  run(closed(&caller));
}

void Bed::advance(Duration by) { run(advanced(&clock, by)); }

void Bed::eventually(const std::function<bool()>& done) {
  // What is waited for happens on other threads; this only looks.
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done()) {
    if (std::chrono::steady_clock::now() > limit) {
      ADD_FAILURE() << "it did not happen";
      return;
    }
    std::this_thread::yield();
  }
}

Status Bed::status() {
  auto status = run(service->status());
  EXPECT_TRUE(status);
  return status.value_or(Status{});
}

}  // namespace pileus::services::lambda::testing
