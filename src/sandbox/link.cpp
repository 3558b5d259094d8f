#include "sandbox/link.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/log.h"

namespace pileus::sandbox {
namespace {

Error dead_error() { return Error(std::string(errc::kIo), "the launcher has ended", 500); }

Result<Unit> outcome(Reader& in) {
  std::string code = in.text();
  std::string message = in.text();
  if (code.empty()) return Unit{};
  return fail(std::move(code), std::move(message), 500);
}

}  // namespace

Link::Link(int socket, std::move_only_function<void()> on_death)
    : socket_(socket),
      on_death_(std::move(on_death)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  thread_ = std::thread([this] { hear(); });
}

Link::~Link() { stop(); }

void Link::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ::eventfd_write(wake_.get(), 1);
  if (thread_.joinable() && thread_.get_id() != std::this_thread::get_id()) thread_.join();
}

std::uint64_t Link::next_handle() {
  std::lock_guard lock(mutex_);
  return next_++;
}

void Link::send(std::string bytes, std::vector<UniqueFd> fds) {
  std::lock_guard lock(mutex_);
  if (dead_) return;
  outbox_.push_back({std::move(bytes), std::move(fds)});
  flush();
}

// With the lock held. What does not fit waits for the thread, which waits for the socket.
void Link::flush() {
  while (!outbox_.empty()) {
    std::vector<int> numbers;
    for (const auto& fd : outbox_.front().fds) numbers.push_back(fd.get());
    if (send_packet(socket_, outbox_.front().bytes, numbers, MSG_DONTWAIT) == EAGAIN) {
      ::eventfd_write(wake_.get(), 1);
      return;
    }
    outbox_.pop_front();
  }
}

Completion<Started> Link::expect_start(std::uint64_t handle) {
  Completion<Started> completion;
  auto completer = completion.completer();
  std::lock_guard lock(mutex_);
  if (dead_)
    completer.complete(fail(dead_error()));
  else
    sandboxes_[handle].start = std::move(completer);
  return completion;
}

Completion<Unit> Link::expect_assignment(std::uint64_t handle) {
  Completion<Unit> completion;
  auto completer = completion.completer();
  std::lock_guard lock(mutex_);
  if (dead_)
    completer.complete(fail(dead_error()));
  else if (sandboxes_[handle].report)  // nobody would answer
    completer.complete(fail(std::string(errc::kNotFound), "the sandbox has ended", 500));
  else
    sandboxes_[handle].assignment = std::move(completer);
  return completion;
}

Completion<Unit> Link::expect_done(std::uint64_t handle) {
  Completion<Unit> completion;
  auto completer = completion.completer();
  std::lock_guard lock(mutex_);
  if (dead_)
    completer.complete(fail(dead_error()));
  else
    done_[handle] = std::move(completer);
  return completion;
}

Completion<Exit> Link::expect_exit(std::uint64_t handle) {
  Completion<Exit> completion;
  auto completer = completion.completer();
  std::lock_guard lock(mutex_);
  auto& sandbox = sandboxes_[handle];
  if (sandbox.report)
    completer.complete(sandbox.report->exit);
  else if (dead_)
    completer.complete(fail(dead_error()));
  else
    sandbox.exit = std::move(completer);
  return completion;
}

std::optional<ExitReport> Link::exited(std::uint64_t handle) {
  std::lock_guard lock(mutex_);
  const auto found = sandboxes_.find(handle);
  return found == sandboxes_.end() ? std::nullopt : found->second.report;
}

void Link::kill(std::uint64_t handle) { send(Writer().put(Ask::kKill).put(handle).bytes()); }

void Link::forget(std::uint64_t handle) {
  kill(handle);
  Sandboxed gone;  // its completers end outside of the lock
  std::lock_guard lock(mutex_);
  const auto found = sandboxes_.find(handle);
  if (found == sandboxes_.end()) return;
  gone = std::move(found->second);
  sandboxes_.erase(found);
}

const Link::Ready& Link::ready() {
  std::unique_lock lock(mutex_);
  is_ready_.wait(lock, [&] { return ready_ || dead_ || stopping_; });
  if (!ready_) ready_ = Ready{};
  return *ready_;
}

bool Link::has_template(std::uint64_t bytes) {
  std::lock_guard lock(mutex_);
  return templates_.contains(bytes);
}

void Link::add_template(std::uint64_t bytes) {
  std::lock_guard lock(mutex_);
  templates_.insert(bytes);
}

void Link::hear() {
  for (;;) {
    bool full = false;
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
      full = !outbox_.empty();
    }
    pollfd watched[2] = {{socket_, static_cast<short>(full ? POLLIN | POLLOUT : POLLIN), 0},
                         {wake_.get(), POLLIN, 0}};
    if (::poll(watched, 2, -1) < 0 && errno != EINTR) return died();
    if (watched[1].revents) {
      eventfd_t ignored = 0;
      ::eventfd_read(wake_.get(), &ignored);
    }
    if (watched[0].revents & POLLOUT) {
      std::lock_guard lock(mutex_);
      flush();
    }
    if (!(watched[0].revents & (POLLIN | POLLHUP | POLLERR))) continue;
    Packet packet;
    const auto received = receive_packet(socket_, packet, MSG_DONTWAIT);
    if (received == Received::kEnd) return died();
    if (received == Received::kPacket) handle(std::move(packet));
  }
}

void Link::handle(Packet packet) {
  Reader in(packet.bytes);
  const Tell verb = in.get<Tell>();
  const auto handle = in.get<std::uint64_t>();
  std::unique_lock lock(mutex_);
  const auto found = sandboxes_.find(handle);
  if (verb == Tell::kReady) {
    Ready ready;
    ready.capabilities = decode_capabilities(in);
    ready.cgroups = Cgroups::decode(in);
    ready.tmp_images = in.get<bool>();
    ready_ = std::move(ready);
    is_ready_.notify_all();
  } else if (verb == Tell::kStarted && found != sandboxes_.end()) {
    auto completer = std::move(found->second.start);
    lock.unlock();
    Started started;
    started.group = in.text();
    if (auto result = outcome(in); !result) return completer.complete(fail(result.error()));
    started.listeners = std::move(packet.fds);
    completer.complete(std::move(started));
  } else if (verb == Tell::kAssigned && found != sandboxes_.end()) {
    auto completer = std::move(found->second.assignment);
    lock.unlock();
    in.text();
    completer.complete(outcome(in));
  } else if ((verb == Tell::kExited) && found != sandboxes_.end()) {
    found->second.report = ExitReport::decode(in);
    const Exit exit = found->second.report->exit;
    auto completer = std::move(found->second.exit);
    auto assignment = std::move(found->second.assignment);
    lock.unlock();
    completer.complete(exit);
    assignment.complete(fail(std::string(errc::kNotFound), "the sandbox has ended", 500));
  } else if (verb == Tell::kTemplate || verb == Tell::kSettled) {
    const auto waiting = done_.find(handle);
    if (waiting == done_.end()) return;
    auto completer = std::move(waiting->second);
    done_.erase(waiting);
    lock.unlock();
    std::string complaint = verb == Tell::kTemplate ? in.text() : std::string();
    if (complaint.empty())
      completer.complete(Unit{});
    else
      completer.complete(fail(std::string(errc::kIo), std::move(complaint), 500));
  }
}

void Link::died() {
  std::unordered_map<std::uint64_t, Sandboxed> sandboxes;
  std::unordered_map<std::uint64_t, Completer<Unit>> done;
  std::move_only_function<void()> tell;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    dead_ = true;
    sandboxes = std::move(sandboxes_);
    done = std::move(done_);
    outbox_.clear();
    tell = std::move(on_death_);
    is_ready_.notify_all();
  }
  for (auto& [handle, sandbox] : sandboxes) {
    sandbox.start.complete(fail(dead_error()));
    sandbox.assignment.complete(fail(dead_error()));
    sandbox.exit.complete(fail(dead_error()));
  }
  for (auto& [handle, completer] : done) completer.complete(fail(dead_error()));
  if (tell) return tell();
  log::error(
      "the sandbox launcher has ended; without it nothing can be run, so the server ends too");
  std::_Exit(70);
}

}  // namespace pileus::sandbox
