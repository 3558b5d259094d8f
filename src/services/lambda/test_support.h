// A lambda service over memory stores and fake sandboxes, and a runtime played by a thread that
// speaks the Runtime API over a real socket. For this room's tests.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <atomic>

#include <condition_variable>
#include <future>
#include <thread>

#include "base/text.h"
#include "gen/lambda/CreateFunction.h"
#include "gen/lambda/Invoke.h"
#include "gen/logs/PutLogEvents.h"
#include "gen/logs/client.h"
#include "sandbox/fake_driver.h"
#include "services/lambda/service.h"
#include "store/memory_blobs.h"
#include "store/memory_journals.h"
#include "store/memory_records.h"
#include "store/test_folder.h"

namespace pileus::services::lambda::testing {

// A zip with one stored file, made by hand.
std::string zip_of(std::vector<std::pair<std::string, std::string>> files);

// One blocking keep-alive connection to what a sandbox' port 9001 serves.
class ApiConnection {
 public:
  explicit ApiConnection(std::uint16_t port);
  ~ApiConnection() { close(); }
  ApiConnection(const ApiConnection&) = delete;
  ApiConnection& operator=(const ApiConnection&) = delete;
  // The whole answer, or "" when the other side has gone.
  std::string ask(const std::string& method, const std::string& path, const std::string& body = "",
                  const std::string& headers = "");
  static std::string header(const std::string& answer, std::string_view name);

 private:
  void close();
  int fd_;
};

struct Event {
  std::string id, payload, arn, deadline_ms, trace, client_context;
};
// What a played runtime does with an event.
struct Reply {
  enum class Kind { kAnswer, kError, kExit, kHang, kNothing } kind = Kind::kAnswer;
  std::string body = "{}";
  sandbox::Exit exit;
  std::string say;  // printed first
};

// How played runtimes behave; each sandbox gets one thread at its assignment.
class Actors {
 public:
  ~Actors();
  std::function<Reply(const Event&)> on_event = [](const Event&) { return Reply{}; };
  // Before the first poll: an empty body goes on, else it is posted to init/error.
  std::function<Reply(int start)> on_init = [](int) { return Reply{}; };
  // A runtime: the main program, or one that was spawned.
  void act(std::shared_ptr<sandbox::FakeWorkload> workload, int process = sandbox::kMainProcess);

 private:
  void play(std::shared_ptr<sandbox::FakeWorkload> workload, int number, int process);
  std::mutex mutex_;
  std::vector<std::thread> threads_;
  int started_ = 0;
};

// Answers every call to CloudWatch Logs and keeps the lines.
class LogSink final : public aws::Caller {
 public:
  Task<Result<Unit>> call(aws::Context& context, const aws::Service& service,
                          const aws::Operation& operation, void* input, void* output) override;
  std::vector<std::string> lines() const;
  std::vector<std::string> streams() const;
  void deny(bool on);

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_, streams_;
  bool denied_ = false;
};

class AllowAll final : public aws::Authorizer {
 public:
  Task<Result<Unit>> authorize(const aws::Context& context, aws::Authorization request) override;
  std::vector<std::string> asked() const;  // "action resource"

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> asked_;
};

class NoKeys final : public aws::Credentials {
 public:
  Task<Result<std::shared_ptr<const aws::Credential>>> find(std::string, std::string) override {
    co_return std::shared_ptr<const aws::Credential>();
  }
  void used(const std::string&, const std::string&, const std::string&, Time) override {}
};

class FakeSessions final : public aws::Sessions {
 public:
  Task<Result<aws::Session>> assume(aws::SessionRequest request) override;
  std::atomic<int> assumed{0};
  std::atomic<bool> refuse{false};
};

// Machine, stores and service. Destroyed in order; stop() is called by the destructor.
class Bed {
 public:
  explicit Bed(std::function<void(Options&)> adjust = [](Options&) {});
  ~Bed();

  // Runs a task on the first loop and waits.
  template <class T>
  T run(Task<T> task) {
    std::promise<T> promise;
    auto future = promise.get_future();
    group_->spawn(deliver<T>(std::move(task), &promise));
    return future.get();
  }
  void restart();  // the service anew over the same stores

  aws::Context context();
  Result<gen::lambda::CreateFunctionOutput> create(
      const std::string& name,
      std::function<void(gen::lambda::CreateFunctionInput&)> adjust = nullptr);
  Result<gen::lambda::InvokeOutput> invoke(
      const std::string& name, const std::string& payload = "{}",
      std::function<void(gen::lambda::InvokeInput&)> adjust = nullptr);
  // Invokes, waits for `arrived`, and stops waiting for the answer.
  void call_and_leave(aws::Context& context, const std::string& name, std::future<void> arrived);
  void advance(Duration by);
  // Waits until `done` holds; fails the test after some seconds.
  void eventually(const std::function<bool()>& done);
  Status status();

  store::TestFolder folder;
  SystemTime real;
  ManualClock clock{Time(std::chrono::sys_days(std::chrono::year(2026) / 3 / 14))};
  SeededRandom random{7};
  std::unique_ptr<store::Records> records = store::make_memory_records();
  std::unique_ptr<store::Blobs> blobs = store::make_memory_blobs();
  std::unique_ptr<store::Journals> journals = store::make_memory_journals();
  Actors actors;
  sandbox::FakeDriver driver;
  net::Loops loops{2};
  net::HttpServer server{loops, real};
  AllowAll authorizer;
  NoKeys keys;
  aws::Door door{{}, clock, real, random};
  LogSink log_sink;
  gen::logs::LogsClient logs{log_sink};
  FakeSessions sessions;
  Options options;
  std::unique_ptr<LambdaService> service;
  // An external extension was started; its name.
  std::function<void(std::shared_ptr<sandbox::FakeWorkload>, int process, std::string name)>
      on_extension;

 private:
  template <class T>
  static Task<void> deliver(Task<T> task, std::promise<T>* promise) {
    promise->set_value(co_await std::move(task));
  }
  void make();
  std::unique_ptr<TaskGroup> group_;
  std::atomic<int> requests_ = 0;  // several threads make contexts
};

}  // namespace pileus::services::lambda::testing
