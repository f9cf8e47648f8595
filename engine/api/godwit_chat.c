// Chat templates: godwit_chat_*.
#include "api/handles.h"
#include "text/chat.h"

godwit_status godwit_chat_render(godwit_context *context, const godwit_file *file,
                                 const godwit_chat_params *params, godwit_write_fn write,
                                 void *user, godwit_error *error) {
    GW_WANT(context && params && write, error);
    GW_PARAMS(godwit_chat_params, p, params);
    gw_jinja_output out;
    godwit_status status =
        gw_chat_render(&context->host, file ? file->gguf : NULL, &p, &out, error);
    if (status != GODWIT_OK) return status;
    if (out.n > 0 && !write(user, out.text, out.n)) {
        status = gw_fail(error, GODWIT_CANCELLED, "chat: stopped by the caller");
    }
    gw_free(&context->host, out.text, out.cap);
    return status;
}
