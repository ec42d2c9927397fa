#pragma once
#include <map>
#include <memory>
#include <typeindex>

namespace mailproof::server {

/// What extensions keep beside a session, a mailbox, a message or an account: one value a type, made when it is first
/// asked for.
class Extras {
 public:
  template <class T>
  T& get() {
    auto& slot = slots_[typeid(T)];
    if (!slot) slot = std::make_shared<T>();
    return *static_cast<T*>(slot.get());
  }
  template <class T>
  const T* find() const {  ///< null: nobody asked for it yet
    const auto at = slots_.find(typeid(T));
    return at == slots_.end() ? nullptr : static_cast<const T*>(at->second.get());
  }
  void clear() { slots_.clear(); }

 private:
  std::map<std::type_index, std::shared_ptr<void>> slots_;
};

}  // namespace mailproof::server
