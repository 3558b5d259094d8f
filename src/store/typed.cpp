#include "store/typed.h"

namespace pileus::store {

Task<Result<Unit>> pause_before_attempt(int attempt) {
  if (attempt < 3) co_return Unit{};
  co_return co_await sleep_for(std::chrono::microseconds(200) * attempt);
}

}  // namespace pileus::store
