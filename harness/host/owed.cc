#include "host/owed.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "core/shell_word.h"

namespace mailproof::host {

Owed::Owed(const scenario::Target& target) {
  for (const auto& account : target.accounts) secrets_.add(account.login, account.password);
}

Owed::Number Owed::owe(const std::string& what, const std::vector<std::string>& command) {
  std::string line = what + ':';
  for (const auto& word : command) line += ' ' + shell_word(word);
  if (command.empty()) line += " the target file has no command for it";
  secrets_.mask(line);
  const std::lock_guard lock(mutex_);
  debts_.emplace(next_, std::move(line));
  note();
  return next_++;
}

void Owed::done(Number debt) {
  const std::lock_guard lock(mutex_);
  debts_.erase(debt);
  note();
}

std::map<Owed::Number, std::string> Owed::left() const {
  const std::lock_guard lock(mutex_);
  return debts_;
}

void Owed::note_in(std::string file) {
  const std::lock_guard lock(mutex_);
  file_ = std::move(file);
}

/// Renamed into its place: whoever kills us leaves the one note or the other.
void Owed::note() const {
  if (file_.empty()) return;
  std::error_code ignored;
  if (debts_.empty()) {
    std::filesystem::remove(file_, ignored);
    return;
  }
  const std::string next = file_ + ".new";
  std::ofstream out(next, std::ios::trunc);
  for (const auto& [number, line] : debts_) out << line << '\n';
  out.close();
  std::error_code failed;
  if (out) std::filesystem::rename(next, file_, failed);
  if ((!out || failed) && say) say(fmt::format("{} cannot be written: {}", file_, debts_.rbegin()->second));
}

}  // namespace mailproof::host
