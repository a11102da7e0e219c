#ifndef OPENEVOLVE_OPENEVOLVE_H
#define OPENEVOLVE_OPENEVOLVE_H

/** @file The whole interface. */

#include "openevolve/common.h"
#include "openevolve/config.h"
#include "openevolve/controller.h"
#include "openevolve/edit.h"
#include "openevolve/evaluator.h"
#include "openevolve/hub.h"
#include "openevolve/llm.h"
#include "openevolve/population.h"
#include "openevolve/program.h"
#include "openevolve/run.h"
#include "openevolve/sandbox.h"
#include "openevolve/scheduler.h"
#include "openevolve/version.h"

#endif /* OPENEVOLVE_OPENEVOLVE_H */
