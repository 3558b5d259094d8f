// Wire: one connected socket (TCP or unix, plain or TLS) on one loop, for both the server and the
// client: a buffer that is read ahead, bytes that wait to be written, a time-out on each direction.
// One coroutine may wait for input and one for output. Only net/ includes this.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>

#include "base/completion.h"
#include "net/loops_impl.h"

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;

namespace pileus::net {

class Wire : public std::enable_shared_from_this<Wire> {
 public:
  enum class Event { kReady, kTimeout, kClosed, kStopped };
  static constexpr Duration kForever = Duration::max();

 private:
  using Steady = std::chrono::steady_clock;
  // A place where one coroutine waits, with a lazily moved time-out.
  struct Gate {
    std::coroutine_handle<> waiter;
    std::uint64_t turn = 0;  // tells a late stop or time-out from the wait it was meant for
    Event event = Event::kReady;
    Duration patience = kForever;
    Steady::time_point deadline = Steady::time_point::max();
    Loop::TimerId timer = 0;
    Steady::time_point fires = Steady::time_point::max();
  };

 public:
  // Awaited; ends at once with kStopped when the awaiting task is stopped.
  class Wait {
   public:
    Wait(Wire& wire, Gate& gate, Duration patience, bool ready)
        : wire_(wire), gate_(gate), patience_(patience), ready_(ready) {}
    ~Wait() {
      if (waiting_) gate_.waiter = nullptr;
    }
    bool await_ready() const { return ready_; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> self) {
      if (StopSource* stop = self.promise().stop) {
        if (stop->stopped()) {
          gate_.event = Event::kStopped;
          return false;
        }
        on_stop_.attach(stop, [this] { wire_.stop_soon(gate_); });
      }
      gate_.waiter = self;
      ++gate_.turn;
      waiting_ = true;
      wire_.set_patience(gate_, patience_);
      return true;
    }
    Event await_resume() {
      waiting_ = false;
      on_stop_.detach();
      return gate_.event;
    }

   private:
    Wire& wire_;
    Gate& gate_;
    Duration patience_;
    bool ready_;
    bool waiting_ = false;
    StopCallback on_stop_;
  };

  // Takes over a connected, non-blocking descriptor. `most_buffered` is more than any piece of a
  // message that has to be seen whole: more() does not read into a full buffer.
  Wire(EventLoop& loop, int fd, std::size_t most_buffered);
  ~Wire();
  int fd() const { return fd_; }

  // Input. `buffered` stays valid until the next more(), read_ahead() or consume().
  std::string_view buffered() const { return {input_.get() + begin_, end_ - begin_}; }
  void consume(std::size_t count) { begin_ += count; }
  bool full() const { return buffered().size() >= most_buffered_; }
  bool ended() const { return ended_; }  // nothing more will come
  // Waits for more bytes than are buffered now; kClosed at the end or when the connection broke.
  Wait more(Duration patience);
  // Reads on while nobody waits (as long as there is room); `gone` is called when the peer ends.
  void read_ahead(Callback gone);
  void stop_watching() { gone_ = nullptr; }
  void give_back_memory();  // while idle

  // Output: tries to write at once; what the socket does not take is kept and written when it can.
  void send(std::string_view first, std::string_view second = {}, std::string_view third = {});
  std::size_t unsent() const { return output_.size() - output_begin_; }
  bool broken() const { return write_failed_; }
  // Waits until at most `left` bytes are unsent; `patience` is how long no byte may move.
  Wait sent(std::size_t left, Duration patience);

  // Before anything was read or sent. A wait that does not end with kReady is followed by close().
  Wait readable(Duration patience);
  Wait writable(Duration patience);  // connected, or failed to: see connect_error()
  int connect_error();               // errno of a connect that was under way
  int first_byte();                  // peeked; -1 when none is there

  // TLS: the owner drives the handshake; afterwards bytes in and out are the plain ones.
  void start_tls(SSL* tls);  // takes over
  SSL* tls() { return tls_; }
  // One step of the handshake: kReady done, kClosed failed, nothing: wait for tls_wait().
  std::optional<Event> handshake();
  Wait tls_wait(Duration patience);
  bool cut_off() const { return cut_off_; }  // ended without TLS saying so

  // Of a connection kept for later, while nobody reads: whether it can still be used.
  bool alive();

  // Between requests, with nothing under way, a wire can go to another loop: let_go() on the old
  // one, settle() on the new one.
  bool movable() const { return !reading_ && !writing_ && unsent() == 0 && !closed_ && !ended_; }
  void let_go();
  void settle(EventLoop& loop);

  void shutdown_write();
  void close();
  bool closed() const { return closed_; }

 private:
  Wait socket_event(asio::socket_base::wait_type what, Duration patience);
  bool start_read();
  bool make_room();
  bool read_tls();
  void on_read(error_code error, std::size_t count);
  void input_changed();
  void pump();
  bool write_some();  // false: wait until the socket can be written
  void wait_writable();
  void output_changed();
  void set_patience(Gate& gate, Duration patience);
  void arm(Gate& gate);
  void on_timer(Gate& gate);
  void stop_soon(Gate& gate);
  void wake(Gate& gate, Event event);
  void adopt_socket();
  void forget_timers();

  EventLoop* loop_;
  std::optional<asio::generic::stream_protocol::socket> socket_;  // none while it moves
  int fd_;
  SSL* tls_ = nullptr;
  bool handshake_wants_write_ = false, cut_off_ = false;

  std::unique_ptr<char[]> input_;
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
  const std::size_t most_buffered_;
  bool reading_ = false, ended_ = false, watching_ = false, filled_ = false;
  Callback gone_;
  Gate in_;

  std::string output_;
  std::size_t output_begin_ = 0;
  std::size_t low_water_ = 0;
  bool writing_ = false, write_failed_ = false, shut_ = false, closed_ = false;
  Gate out_;
};

}  // namespace pileus::net
