// What nearly every test parses besides base/pch.h, precompiled once. Not to be included by hand.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/async.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/pch.h"
#include "base/result.h"
