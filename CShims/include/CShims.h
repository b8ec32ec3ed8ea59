#pragma once
#include "sbx_confine.h"
#include "sbx_fs.h"
#include "sbx_mount.h"
#include "sbx_probe.h"
#include "sbx_process.h"
#include "sbx_spawn.h"
#include "sbx_supervise.h"
