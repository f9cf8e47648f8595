// cancel.h: Ctrl-C, SIGTERM and SIGHUP end the work cleanly; a second one ends the process, as does
// work that has not ended 4 seconds after the first, or 60 while a session is saved.
//
// There is no signal handler: they are blocked in every thread and a watcher waits for them, so the
// session is cancelled from ordinary code, under a lock, and never after it is destroyed.
#ifndef GODWIT_CLI_CANCEL_H
#define GODWIT_CLI_CANCEL_H

#include <stdbool.h>

#include "godwit/godwit.h"

// Call before any other thread is started (a driver starts some). A signal that is ignored, as
// SIGINT is for a job in the background of a script and SIGHUP under nohup, stays so.
void cli_cancel_watch(void);
// The session that Ctrl-C cancels; NULL before it is destroyed.
void cli_cancel_session(godwit_session *session);
bool cli_cancelled(void);
// What is left to do is not cancelled any more: a session is saved.
void cli_cancel_saves(void);
// Whether work is to stop: cancelled, and not yet at that.
bool cli_cancel_stops(void);
// From now on Ctrl-C stops the session that is being watched and nothing more, until it was taken
// note of; a second one before that ends the process as it does otherwise.
void cli_cancel_answers(void);
// Whether Ctrl-C came since the last call.
bool cli_cancel_take(void);
// The same, without that it is taken.
bool cli_cancel_pressed(void);
// Readable where a signal came, until cli_cancel_take; -1: there is none.
int cli_cancel_fd(void);
// The signal that did; 0: none came.
int cli_cancelled_by(void);

#endif
