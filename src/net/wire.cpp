#include "net/wire.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>

#include "net/tls_context.h"

namespace pileus::net {

namespace {
constexpr std::size_t kFirstBuffer = 4 * 1024;
constexpr std::size_t kKeptBuffer = 16 * 1024;  // of an idle connection
constexpr std::size_t kKeptOutput = 16 * 1024;
constexpr std::size_t kLeastRead = 2 * 1024;  // less room than this: make more

asio::generic::stream_protocol protocol_of(int fd) {
  int domain = AF_INET;
  socklen_t size = sizeof domain;
  ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size);
  return {domain, 0};
}
}  // namespace

Wire::Wire(EventLoop& loop, int fd, std::size_t most_buffered)
    : loop_(&loop), fd_(fd), most_buffered_(most_buffered) {
  adopt_socket();
}

Wire::~Wire() {
  if (tls_) SSL_free(tls_);
  if (!socket_ && fd_ >= 0) ::close(fd_);
}

void Wire::adopt_socket() {
  error_code error;
  socket_.emplace(loop_->context());
  socket_->assign(protocol_of(fd_), fd_, error);
  if (error) {  // no memory for the reactor's entry: the connection is stillborn
    ::close(std::exchange(fd_, -1));
    ended_ = write_failed_ = closed_ = true;
  }
}

void Wire::let_go() {
  gone_ = nullptr;
  watching_ = false;
  forget_timers();
  error_code error;
  socket_->release(error);
  socket_.reset();
}

void Wire::settle(EventLoop& loop) {
  loop_ = &loop;
  adopt_socket();
}

// ---- input

Wire::Wait Wire::more(Duration patience) {
  gone_ = nullptr;
  watching_ = false;
  bool ready = ended_ || start_read();
  if (ready) in_.event = ended_ ? Event::kClosed : Event::kReady;
  return {*this, in_, patience, ready};
}

void Wire::read_ahead(Callback gone) {
  gone_ = std::move(gone);
  watching_ = true;
  if (ended_ || start_read()) {
    if (ended_ && gone_) std::exchange(gone_, nullptr)();
  }
}

// The buffer grows while reads fill it (a body is coming), up to most_buffered_.
bool Wire::make_room() {
  const std::size_t held = end_ - begin_;
  if (held >= most_buffered_) return false;
  if (held == 0) begin_ = end_ = 0;
  const std::size_t most = most_buffered_ + kLeastRead;
  const bool grow = std::exchange(filled_, false) && capacity_ < most;
  if (!grow && capacity_ - end_ >= kLeastRead) return true;
  if (grow || capacity_ - held < std::max(kLeastRead, capacity_ / 2)) {
    const std::size_t larger = std::max(kFirstBuffer, std::min(capacity_ * 4, most));
    std::unique_ptr<char[]> grown(new char[larger]);
    if (held > 0) std::memcpy(grown.get(), input_.get() + begin_, held);
    input_ = std::move(grown);
    capacity_ = larger;
  } else {
    std::memmove(input_.get(), input_.get() + begin_, held);
  }
  begin_ = 0;
  end_ = held;
  return true;
}

void Wire::give_back_memory() {
  if (reading_ || begin_ != end_ || capacity_ <= kKeptBuffer) return;
  input_.reset();
  capacity_ = begin_ = end_ = 0;
}

// True when something was read, or the end was seen, at once.
bool Wire::start_read() {
  if (reading_) return false;
  if (!make_room()) return false;
  if (tls_) return read_tls();
  reading_ = true;
  socket_->async_read_some(asio::buffer(input_.get() + end_, capacity_ - end_),
                           [self = shared_from_this()](error_code error, std::size_t count) {
                             self->reading_ = false;
                             self->on_read(error, count);
                           });
  return false;
}

bool Wire::read_tls() {
  ERR_clear_error();
  const int got = SSL_read(tls_, input_.get() + end_, static_cast<int>(capacity_ - end_));
  if (got > 0) {
    end_ += static_cast<std::size_t>(got);
    filled_ = end_ == capacity_;
    return true;
  }
  const int why = SSL_get_error(tls_, got);
  if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
    ended_ = true;
    cut_off_ = why != SSL_ERROR_ZERO_RETURN;
    return true;
  }
  reading_ = true;
  const auto what =
      why == SSL_ERROR_WANT_READ ? asio::socket_base::wait_read : asio::socket_base::wait_write;
  socket_->async_wait(what, [self = shared_from_this()](error_code error) {
    self->reading_ = false;
    if (error)
      self->on_read(error, 0);
    else if (!self->make_room())
      return;
    else if (self->read_tls())
      self->input_changed();
  });
  return false;
}

void Wire::on_read(error_code error, std::size_t count) {
  if (error) ended_ = true;
  end_ += count;
  filled_ = end_ == capacity_;
  input_changed();
}

void Wire::input_changed() {
  if (in_.waiter) return wake(in_, ended_ ? Event::kClosed : Event::kReady);
  if (ended_) {
    if (gone_) std::exchange(gone_, nullptr)();
    return;
  }
  while (watching_ && !in_.waiter && start_read()) {
    if (!ended_) continue;
    if (gone_) std::exchange(gone_, nullptr)();
    return;
  }
}

// ---- output

void Wire::send(std::string_view first, std::string_view second, std::string_view third) {
  if (write_failed_) return;
  const std::size_t total = first.size() + second.size() + third.size();
  std::size_t done = 0;
  if (!tls_ && unsent() == 0 && !writing_) {
    iovec parts[3] = {{const_cast<char*>(first.data()), first.size()},
                      {const_cast<char*>(second.data()), second.size()},
                      {const_cast<char*>(third.data()), third.size()}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 3;
    ssize_t written;
    do written = ::sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (written < 0 && errno == EINTR);
    if (written < 0 && errno != EAGAIN) {
      write_failed_ = true;
      return;
    }
    done = written < 0 ? 0 : static_cast<std::size_t>(written);
    if (done == total) return;
  }
  for (std::string_view part : {first, second, third}) {
    const std::size_t skip = std::min(done, part.size());
    done -= skip;
    output_.append(part.substr(skip));
  }
  if (!writing_) pump();
}

bool Wire::write_some() {
  const char* data = output_.data() + output_begin_;
  if (tls_) {
    ERR_clear_error();
    const int put =
        SSL_write(tls_, data, static_cast<int>(std::min<std::size_t>(unsent(), 1 << 30)));
    if (put > 0) {
      output_begin_ += static_cast<std::size_t>(put);
      return true;
    }
    const int why = SSL_get_error(tls_, put);
    if (why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_WANT_READ) return false;
    write_failed_ = true;
    return true;
  }
  const ssize_t put = ::send(fd_, data, unsent(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (put >= 0)
    output_begin_ += static_cast<std::size_t>(put);
  else if (errno == EAGAIN)
    return false;
  else if (errno != EINTR)
    write_failed_ = true;
  return true;
}

void Wire::pump() {
  const std::size_t before = unsent();
  while (unsent() > 0 && !write_failed_) {
    if (write_some()) continue;
    wait_writable();
    break;
  }
  if (unsent() != before && out_.waiter && out_.patience != kForever)
    out_.deadline = Steady::now() + out_.patience;  // bytes moved: no stall
  if (unsent() == 0 || write_failed_) {
    if (output_.capacity() > kKeptOutput)
      output_ = {};
    else
      output_.clear();
    output_begin_ = 0;
  } else if (output_begin_ > kKeptOutput && output_begin_ > output_.size() / 2) {
    output_.erase(0, output_begin_);
    output_begin_ = 0;
  }
  output_changed();
}

void Wire::wait_writable() {
  writing_ = true;
  socket_->async_wait(asio::socket_base::wait_write, [self = shared_from_this()](error_code error) {
    self->writing_ = false;
    if (error) self->write_failed_ = true;
    self->pump();
  });
}

void Wire::output_changed() {
  if (!out_.waiter) return;
  if (write_failed_)
    wake(out_, Event::kClosed);
  else if (unsent() <= low_water_)
    wake(out_, Event::kReady);
}

Wire::Wait Wire::sent(std::size_t left, Duration patience) {
  low_water_ = left;
  const bool ready = write_failed_ || unsent() <= left;
  if (ready) out_.event = write_failed_ ? Event::kClosed : Event::kReady;
  return {*this, out_, patience, ready};
}

// ---- TLS

Wire::Wait Wire::socket_event(asio::socket_base::wait_type what, Duration patience) {
  socket_->async_wait(what, [self = shared_from_this()](error_code error) {
    self->wake(self->in_, error ? Event::kClosed : Event::kReady);
  });
  return {*this, in_, patience, false};
}

Wire::Wait Wire::readable(Duration patience) {
  return socket_event(asio::socket_base::wait_read, patience);
}
Wire::Wait Wire::writable(Duration patience) {
  return socket_event(asio::socket_base::wait_write, patience);
}

int Wire::connect_error() {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

int Wire::first_byte() {
  unsigned char byte = 0;
  return ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1 ? byte : -1;
}

void Wire::start_tls(SSL* tls) {
  tls_ = tls;
  attach_socket(tls_, fd_);
}

std::optional<Wire::Event> Wire::handshake() {
  ERR_clear_error();
  const int done = SSL_do_handshake(tls_);
  if (done == 1) return Event::kReady;
  const int why = SSL_get_error(tls_, done);
  if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return Event::kClosed;
  handshake_wants_write_ = why == SSL_ERROR_WANT_WRITE;
  return std::nullopt;
}

Wire::Wait Wire::tls_wait(Duration patience) {
  return handshake_wants_write_ ? writable(patience) : readable(patience);
}

bool Wire::alive() {
  if (closed_ || ended_ || write_failed_ || reading_ || !buffered().empty() || unsent() > 0)
    return false;
  char byte = 0;
  if (!tls_) return ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
  ERR_clear_error();  // session tickets are digested here
  const int got = SSL_peek(tls_, &byte, 1);
  return got <= 0 && SSL_get_error(tls_, got) == SSL_ERROR_WANT_READ;
}

// ---- the end

void Wire::shutdown_write() {
  if (closed_ || std::exchange(shut_, true)) return;
  if (tls_ && SSL_is_init_finished(tls_) && !write_failed_) {
    ERR_clear_error();
    SSL_shutdown(tls_);
  }
  ::shutdown(fd_, SHUT_WR);
}

void Wire::close() {
  if (std::exchange(closed_, true)) return;
  gone_ = nullptr;
  closed_ = false;
  if (tls_) shutdown_write();
  closed_ = true;
  ended_ = write_failed_ = true;
  error_code ignored;
  if (socket_)
    socket_->close(ignored);
  else
    ::close(fd_);
  fd_ = -1;
  forget_timers();
  // Whoever waits hears of it from the loop, never from within close().
  for (Gate* gate : {&in_, &out_}) {
    if (!gate->waiter) continue;
    loop_->post([self = shared_from_this(), gate, turn = gate->turn] {
      if (gate->turn == turn) self->wake(*gate, Event::kClosed);
    });
  }
}

// ---- waiting

void Wire::forget_timers() {
  for (Gate* gate : {&in_, &out_}) {
    gate->deadline = gate->fires = Steady::time_point::max();
    if (gate->timer) loop_->cancel(std::exchange(gate->timer, 0));
  }
}

void Wire::wake(Gate& gate, Event event) {
  if (!gate.waiter) return;
  gate.event = event;
  gate.deadline = Steady::time_point::max();
  std::exchange(gate.waiter, nullptr).resume();
}

void Wire::stop_soon(Gate& gate) {
  loop_->post([self = shared_from_this(), &gate, turn = gate.turn] {
    if (gate.turn == turn) self->wake(gate, Event::kStopped);
  });
}

// The timer is left where it is when the deadline moves away: it looks again when it fires.
void Wire::set_patience(Gate& gate, Duration patience) {
  gate.patience = patience;
  if (patience == kForever) return;
  gate.deadline = Steady::now() + patience;
  if (gate.timer == 0 || gate.fires > gate.deadline) arm(gate);
}

void Wire::arm(Gate& gate) {
  if (gate.timer) loop_->cancel(gate.timer);
  gate.fires = gate.deadline;
  const auto delay = std::chrono::ceil<Duration>(gate.deadline - Steady::now());
  gate.timer = loop_->call_after(delay, [weak = weak_from_this(), &gate] {
    if (auto self = weak.lock()) self->on_timer(gate);
  });
}

void Wire::on_timer(Gate& gate) {
  gate.timer = 0;
  if (!gate.waiter || gate.deadline == Steady::time_point::max()) return;
  if (gate.deadline > Steady::now()) return arm(gate);
  wake(gate, Event::kTimeout);
}

}  // namespace pileus::net
