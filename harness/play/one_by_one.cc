#include "play/one_by_one.h"

#include <memory>

namespace mailproof::play {
namespace {

struct Row {
  std::size_t count = 0, next = 0;
  std::function<void(std::size_t, Finish)> each;
  Finish then;
  bool inside = false;  ///< `each` is on the stack
  bool done = false;    ///< ... and has called its `next` already
};

void go_on(const std::shared_ptr<Row>& row) {
  while (row->next < row->count) {
    row->inside = true;
    row->done = false;
    row->each(row->next++, [row] {
      if (row->inside) {
        row->done = true;
      } else {
        go_on(row);
      }
    });
    row->inside = false;
    if (!row->done) return;
  }
  if (const Finish then = std::exchange(row->then, {})) then();
}

}  // namespace

void one_by_one(std::size_t count, std::function<void(std::size_t, Finish)> each, Finish then) {
  auto row = std::make_shared<Row>();
  row->count = count;
  row->each = std::move(each);
  row->then = std::move(then);
  go_on(row);
}

void Later::post(Finish task) {
  if (tasks_.empty()) network_.set_alarm(*this, network_.now());
  tasks_.push_back(std::move(task));
}

void Later::ring(Time) {
  for (const Finish& task : std::exchange(tasks_, {})) task();
}

}  // namespace mailproof::play
