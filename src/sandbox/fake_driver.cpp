#include "sandbox/fake_driver.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#include <cassert>

namespace pileus::sandbox {
namespace {

UniqueFd loopback_listener(std::uint16_t& port) {
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  ::bind(socket.get(), reinterpret_cast<sockaddr*>(&where), size);
  ::listen(socket.get(), 128);
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&where), &size);
  port = ntohs(where.sin_port);
  return socket;
}

}  // namespace

struct FakeDriver::Scripts {
  std::mutex mutex;
  Script start, assign;
  void run(Script Scripts::* which, std::shared_ptr<FakeWorkload> workload) {
    Script script;
    {
      std::lock_guard lock(mutex);
      script = this->*which;
    }
    if (script) script(std::move(workload));
  }
};

class FakeSandbox final : public Sandbox {
 public:
  FakeSandbox(std::shared_ptr<FakeWorkload> workload, std::shared_ptr<FakeDriver::Scripts> scripts)
      : workload_(std::move(workload)), scripts_(std::move(scripts)) {}
  ~FakeSandbox() override {
    kill();
    std::lock_guard lock(workload_->mutex_);
    workload_->destroyed_ = true;
  }
  const std::string& id() const override { return workload_->spec.id; }
  int listener_fd(std::string_view name) override {
    std::lock_guard lock(workload_->mutex_);
    const auto found = workload_->listeners_.find(name);
    return found == workload_->listeners_.end() ? -1 : found->second.release();
  }
  int output_fd() override {
    std::lock_guard lock(workload_->mutex_);
    return workload_->output_read_.release();
  }
  Task<Result<Unit>> assign(Assignment assignment) override {
    {
      std::lock_guard lock(workload_->mutex_);
      if (auto refused = std::exchange(workload_->refused_assignment_, std::nullopt))
        co_return fail(*refused);
      if (workload_->spec.hold == Hold::kNone || workload_->assignment_)
        co_return fail(std::string(errc::kInvalid), "an assignment is for a held sandbox, once");
      if (workload_->exit_)
        co_return fail(std::string(errc::kNotFound), "the sandbox has ended", 500);
      workload_->assignment_ = std::move(assignment);
    }
    scripts_->run(&FakeDriver::Scripts::assign, workload_);
    co_return Unit{};
  }
  Task<Result<Exit>> wait() override {
    Completion<Exit> completion;
    {
      std::lock_guard lock(workload_->mutex_);
      if (workload_->exit_) co_return *workload_->exit_;
      workload_->waiting_ = completion.completer();
    }
    co_return co_await completion;
  }
  void kill() override {
    std::lock_guard lock(workload_->mutex_);
    workload_->killed_ = true;
    workload_->end({.signal = SIGKILL});
  }
  void signal(int number) override {
    std::lock_guard lock(workload_->mutex_);
    workload_->signals_.push_back(number);
  }
  Task<Result<Unit>> freeze() override {
    std::lock_guard lock(workload_->mutex_);
    workload_->frozen_ = true;
    ++workload_->freezes_;
    co_return Unit{};
  }
  Task<Result<Unit>> thaw() override {
    std::lock_guard lock(workload_->mutex_);
    workload_->frozen_ = false;
    ++workload_->thaws_;
    co_return Unit{};
  }
  Usage usage() override {
    std::lock_guard lock(workload_->mutex_);
    return workload_->usage_;
  }
  void reset_peak() override {
    std::lock_guard lock(workload_->mutex_);
    workload_->usage_.memory_peak_bytes = workload_->usage_.memory_bytes;
  }

 private:
  std::shared_ptr<FakeWorkload> workload_;        // shared with the test
  std::shared_ptr<FakeDriver::Scripts> scripts_;  // shared with the driver
};

FakeWorkload::FakeWorkload(Spec wanted) : spec(std::move(wanted)) {
  for (const auto& listener : spec.listeners)
    listeners_[listener.name] = loopback_listener(ports_[listener.name]);
  int ends[2];
  const int made = ::pipe2(ends, O_CLOEXEC | O_NONBLOCK);
  assert(made == 0);
  if (made != 0) return;
  output_read_.reset(ends[0]);
  output_write_.reset(ends[1]);
}

std::optional<Assignment> FakeWorkload::assignment() const {
  std::lock_guard lock(mutex_);
  return assignment_;
}
std::uint16_t FakeWorkload::port(std::string_view listener) const {
  const auto found = ports_.find(listener);
  return found == ports_.end() ? 0 : found->second;
}
bool FakeWorkload::frozen() const {
  std::lock_guard lock(mutex_);
  return frozen_;
}
int FakeWorkload::freezes() const {
  std::lock_guard lock(mutex_);
  return freezes_;
}
int FakeWorkload::thaws() const {
  std::lock_guard lock(mutex_);
  return thaws_;
}
bool FakeWorkload::killed() const {
  std::lock_guard lock(mutex_);
  return killed_;
}
bool FakeWorkload::destroyed() const {
  std::lock_guard lock(mutex_);
  return destroyed_;
}
std::vector<int> FakeWorkload::signals() const {
  std::lock_guard lock(mutex_);
  return signals_;
}

void FakeWorkload::say(std::string_view text) {
  std::lock_guard lock(mutex_);
  // More than a pipe holds is a mistake of the test.
  if (output_write_ &&
      ::write(output_write_.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    assert(false && "the pipe is full: nobody reads the output");
}

void FakeWorkload::end(Exit exit) {
  if (exit_) return;
  exit_ = exit;
  output_write_.reset();
  waiting_.complete(exit);
}

void FakeWorkload::exit(Exit exit) {
  std::lock_guard lock(mutex_);
  end(exit);
}

void FakeWorkload::set_usage(Usage usage) {
  std::lock_guard lock(mutex_);
  usage_ = usage;
}

void FakeWorkload::refuse_assignment(Error error) {
  std::lock_guard lock(mutex_);
  refused_assignment_ = std::move(error);
}

FakeDriver::FakeDriver() : scripts_(std::make_shared<Scripts>()) {
  capabilities_.isolation = capabilities_.memory_limit = capabilities_.cpu_limit = true;
  capabilities_.process_limit = capabilities_.freezer = capabilities_.outbound =
      capabilities_.seccomp = true;
  capabilities_.cgroup = "fake";
}

Task<Result<std::unique_ptr<Sandbox>>> FakeDriver::start(Spec spec) {
  std::shared_ptr<FakeWorkload> workload;
  {
    std::lock_guard lock(mutex_);
    if (auto refused = std::exchange(refused_, std::nullopt)) co_return fail(*refused);
    workload = std::make_shared<FakeWorkload>(std::move(spec));
    workloads_.push_back(workload);
  }
  auto sandbox = std::make_unique<FakeSandbox>(workload, scripts_);
  scripts_->run(&Scripts::start, workload);
  co_return std::unique_ptr<Sandbox>(std::move(sandbox));
}

std::size_t FakeDriver::started() const {
  std::lock_guard lock(mutex_);
  return workloads_.size();
}

std::shared_ptr<FakeWorkload> FakeDriver::workload(std::size_t index) const {
  std::lock_guard lock(mutex_);
  return index < workloads_.size() ? workloads_[index] : nullptr;
}

std::shared_ptr<FakeWorkload> FakeDriver::last() const {
  std::lock_guard lock(mutex_);
  return workloads_.empty() ? nullptr : workloads_.back();
}

std::size_t FakeDriver::alive() const {
  std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const auto& workload : workloads_) {
    std::lock_guard inner(workload->mutex_);
    count += !workload->exit_ && !workload->destroyed_;
  }
  return count;
}

void FakeDriver::on_start(Script script) {
  std::lock_guard lock(scripts_->mutex);
  scripts_->start = std::move(script);
}

void FakeDriver::on_assign(Script script) {
  std::lock_guard lock(scripts_->mutex);
  scripts_->assign = std::move(script);
}

void FakeDriver::refuse_next_start(Error error) {
  std::lock_guard lock(mutex_);
  refused_ = std::move(error);
}

}  // namespace pileus::sandbox
