#include "services/lambda/answer_stream.h"

namespace pileus::services::lambda {

bool AnswerStream::has_room() { return left_ || ended_ || unread_.size() <= kMostUnread; }

Task<Result<Unit>> AnswerStream::write(std::string bytes) {
  Completion<Unit> room;
  {
    std::lock_guard lock(mutex_);
    written_ += bytes.size();
    if (left_ || ended_) co_return Unit{};
    unread_ += bytes;
    reader_.complete(Unit{});
    if (has_room()) co_return Unit{};
    writer_ = room.completer();
  }
  co_return co_await std::move(room);
}

void AnswerStream::end(StreamEnd how) {
  std::lock_guard lock(mutex_);
  if (std::exchange(ended_, true)) return;
  end_ = std::move(how);
  reader_.complete(Unit{});
  writer_.complete(Unit{});
}

Task<Result<std::string>> AnswerStream::read() {
  for (;;) {
    Completion<Unit> more;
    {
      std::lock_guard lock(mutex_);
      if (!unread_.empty() || ended_) {
        std::string out = std::exchange(unread_, {});
        writer_.complete(Unit{});
        co_return out;
      }
      reader_ = more.completer();
    }
    CO_TRY(co_await std::move(more));
  }
}

StreamEnd AnswerStream::take_end() {
  std::lock_guard lock(mutex_);
  return std::exchange(end_, {});
}

void AnswerStream::leave() {
  std::lock_guard lock(mutex_);
  left_ = true;
  unread_ = {};
  writer_.complete(Unit{});
}

}  // namespace pileus::services::lambda
