// The parts of Asio and Beast that are no templates, compiled here once for all modules.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
