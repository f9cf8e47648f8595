// cancel.h: Ctrl-C ends the work cleanly, a second Ctrl-C ends the process.
//
// There is no signal handler: SIGINT is blocked in every thread and a watcher waits for it, so the
// session is cancelled from ordinary code, under a lock, and never after it is destroyed.
#ifndef GODWIT_CLI_CANCEL_H
#define GODWIT_CLI_CANCEL_H

#include <stdbool.h>

#include "godwit/godwit.h"

// Call before any other thread is started (a driver starts some). Where SIGINT is ignored, as for a
// job in the background of a script, it stays so.
void cli_cancel_watch(void);
// The session that Ctrl-C cancels; NULL before it is destroyed.
void cli_cancel_session(godwit_session *session);
bool cli_cancelled(void);

#endif
