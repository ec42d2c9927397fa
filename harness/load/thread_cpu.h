#pragma once

namespace mailproof::load {

/// Seconds of processor time, in user mode and in the kernel, that the calling thread has used (getrusage).
double cpu_of_this_thread();

}  // namespace mailproof::load
