// What is behind ClientLoop: an io_context and its thread. For gateway/client alone.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>

#include "gateway/client/client_loop.h"

namespace warpbook::gateway {

struct ClientLoop::Impl {
  Impl() : work(context.get_executor()), thread([this] { context.run(); }) {}

  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work;
  std::thread thread;
};

}  // namespace warpbook::gateway
