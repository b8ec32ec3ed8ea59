#pragma once
#include "sbx_spawn.h"
