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
  SpawnScript spawn;
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
    return workload_->pipes_[kMainProcess].output_read.release();
  }
  int log_fd() override {
    std::lock_guard lock(workload_->mutex_);
    return workload_->pipes_[kMainProcess].log_read.release();
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
      workload_->released_ = assignment.release;
      workload_->assignment_ = std::move(assignment);
      if (!workload_->released_) co_return Unit{};
    }
    scripts_->run(&FakeDriver::Scripts::assign, workload_);
    co_return Unit{};
  }
  Task<Result<Unit>> release() override {
    {
      std::lock_guard lock(workload_->mutex_);
      if (!workload_->assignment_ || std::exchange(workload_->released_, true))
        co_return fail(std::string(errc::kInvalid), "there is nothing to release");
    }
    scripts_->run(&FakeDriver::Scripts::assign, workload_);
    co_return Unit{};
  }
  Task<Result<Spawned>> spawn(Process process) override {
    Spawned made;
    {
      std::lock_guard lock(workload_->mutex_);
      if (auto refused = std::exchange(workload_->refused_spawn_, std::nullopt))
        co_return fail(*refused);
      made.id = ++workload_->last_process_;
      workload_->open(made.id, process.log);
      made.output_fd = workload_->pipes_[made.id].output_read.release();
      made.log_fd = workload_->pipes_[made.id].log_read.release();
      workload_->beside_[made.id].process = std::move(process);
    }
    FakeDriver::SpawnScript script;
    {
      std::lock_guard lock(scripts_->mutex);
      script = scripts_->spawn;
    }
    if (script) script(workload_, made.id);
    co_return made;
  }
  Task<Result<Exit>> wait_for(int process) override {
    Completion<Exit> completion;
    {
      std::lock_guard lock(workload_->mutex_);
      if (const auto& exit = workload_->beside_[process].exit) co_return *exit;
      workload_->beside_waiting_[process] = completion.completer();
    }
    co_return co_await completion;
  }
  void signal_process(int process, int number) override {
    std::lock_guard lock(workload_->mutex_);
    workload_->beside_[process].signals.push_back(number);
    if (number == SIGKILL) workload_->end_beside(process, {.signal = SIGKILL});
  }
  Task<Result<Unit>> clear() override {
    std::lock_guard lock(workload_->mutex_);
    ++workload_->clears_;
    workload_->end({.signal = SIGKILL});
    for (const auto& [process, beside] : workload_->beside_)
      workload_->end_beside(process, {.signal = SIGKILL});
    co_return Unit{};
  }
  Task<Result<int>> socket() override {
    co_return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
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
    for (const auto& [process, beside] : workload_->beside_)
      workload_->end_beside(process, {.signal = SIGKILL});
  }
  void signal(int number) override {
    std::lock_guard lock(workload_->mutex_);
    workload_->signals_.push_back(number);
    if (number == SIGKILL) workload_->end({.signal = SIGKILL});
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
  open(kMainProcess, spec.log);
}

void FakeWorkload::open(int process, bool log) {
  const auto make = [](UniqueFd& read, UniqueFd& write) {
    int ends[2];
    const int made = ::pipe2(ends, O_CLOEXEC | O_NONBLOCK);
    assert(made == 0);
    if (made != 0) return;
    read.reset(ends[0]);
    write.reset(ends[1]);
  };
  Pipes& pipes = pipes_[process];
  make(pipes.output_read, pipes.output_write);
  if (log) make(pipes.log_read, pipes.log_write);
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

bool FakeWorkload::released() const {
  std::lock_guard lock(mutex_);
  return released_;
}
int FakeWorkload::clears() const {
  std::lock_guard lock(mutex_);
  return clears_;
}
std::map<int, FakeWorkload::Beside> FakeWorkload::beside() const {
  std::lock_guard lock(mutex_);
  return beside_;
}

namespace {
// More than a pipe holds is a mistake of the test.
void write_all(const UniqueFd& fd, std::string_view text) {
  if (fd && ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    assert(false && "the pipe is full: nobody reads the output");
}
}  // namespace

void FakeWorkload::say(std::string_view text, int process) {
  std::lock_guard lock(mutex_);
  write_all(pipes_[process].output_write, text);
}

void FakeWorkload::log(std::string_view bytes, int process) {
  std::lock_guard lock(mutex_);
  write_all(pipes_[process].log_write, bytes);
}

void FakeWorkload::end(Exit exit) {
  if (exit_) return;
  exit_ = exit;
  pipes_[kMainProcess].output_write.reset();
  pipes_[kMainProcess].log_write.reset();
  waiting_.complete(exit);
}

void FakeWorkload::end_beside(int process, Exit exit) {
  auto& beside = beside_[process];
  if (beside.exit) return;
  beside.exit = exit;
  pipes_[process].output_write.reset();
  pipes_[process].log_write.reset();
  beside_waiting_[process].complete(exit);
}

void FakeWorkload::exit(Exit exit, int process) {
  std::lock_guard lock(mutex_);
  if (process == kMainProcess)
    end(exit);
  else
    end_beside(process, exit);
}

void FakeWorkload::refuse_spawn(Error error) {
  std::lock_guard lock(mutex_);
  refused_spawn_ = std::move(error);
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

void FakeDriver::on_spawn(SpawnScript script) {
  std::lock_guard lock(scripts_->mutex);
  scripts_->spawn = std::move(script);
}

void FakeDriver::refuse_next_start(Error error) {
  std::lock_guard lock(mutex_);
  refused_ = std::move(error);
}

}  // namespace pileus::sandbox
