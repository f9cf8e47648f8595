/* fast: loss and gradients of model.py's llama for one row of tokens, on one core.

   The same equations as model.py, written out by hand, since PyTorch spends most of its CPU time for so small a model
   outside the matrix products. Every product is gemm(): bf16 operands, fp32 sums, on AMX tiles or AVX-512's
   bf16 dot products where the CPU has them and in plain loops elsewhere. fast.py compiles this, runs rows on threads and checks it against model.py. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__AMX_BF16__) || defined(__AVX512BF16__)
#include <immintrin.h>
#endif
#ifdef __AMX_BF16__
#include <sys/syscall.h>
#include <unistd.h>
#endif

typedef uint16_t bf;
typedef struct { int D, H, G, E, F, L, V, T; float eps, rope_base; } Shape; /* G kv heads, E head dim */
enum { ATTN_NORM, FFN_NORM, Q, K, V_, O, GATE, UP, DOWN, PER_LAYER };      /* then token_embd, output_norm */
enum { BLOCK = 128 };

typedef struct { float *x, *xm, *r1, *r2; bf *h1, *h2, *q, *k, *v, *P, *a, *g, *u, *s; } Layer;
typedef struct {
    Shape s;
    Layer *layer;
    float *cos, *sin, *x, *r, *f1, *f2, *f3, *logits, *dx, *S, *dkT, *dvT;
    bf *h, *b1, *b2, *b3, *bt, *bp, *Pp, *dS, *kt, *kp, *doh, *dot, *qt;
} Work;

static bf to_bf(float f) { uint32_t u; memcpy(&u, &f, 4); return (bf)((u + 0x7fff + ((u >> 16) & 1)) >> 16); }
static float from_bf(bf b) { uint32_t u = (uint32_t)b << 16; float f; memcpy(&f, &u, 4); return f; }
static void narrow(bf *o, const float *x, long n) { for (long i = 0; i < n; i++) o[i] = to_bf(x[i]); }

/* [R][C] -> pairs of rows side by side, [R/2][C][2]: the right operand of gemm. */
static void pair_rows(bf *o, const bf *x, int R, int C, int ldx) {
    for (int r = 0; r < R; r += 2) {
        const bf *a = x + (long)r * ldx, *b = a + ldx;
        uint32_t *w = (uint32_t *)(o + (long)r * C);
        for (int c = 0; c < C; c++) w[c] = a[c] | (uint32_t)b[c] << 16;
    }
}
/* [R][C] -> [C][R], of bf16 or of 32-bit pairs (the transpose as a right operand of gemm). */
static void turn(bf *o, const bf *x, int R, int C) {
    for (int r0 = 0; r0 < R; r0 += 32)
        for (int c = 0; c < C; c++)
            for (int r = r0; r < r0 + 32; r++) o[(long)c * R + r] = x[(long)r * C + c];
}
static void turn_pairs(bf *out, const bf *in, int R, int C) {
    uint32_t *o = (uint32_t *)out; const uint32_t *x = (const uint32_t *)in;
    for (int r0 = 0; r0 < R; r0 += 16)
        for (int c = 0; c < C / 2; c++)
            for (int r = r0; r < r0 + 16; r++) o[(long)c * R + r] = x[(long)r * (C / 2) + c];
}

/* C[M][N] (+)= A[M][K] B, B in pairs of rows with ldb columns. M, N and K are multiples of 32. */
static void gemm(int M, int N, int Kn, const bf *A, int lda, const bf *B, int ldb, float *C, int ldc, int add) {
#ifdef __AMX_BF16__
    struct { uint8_t palette, row, zero[14]; uint16_t bytes[16]; uint8_t rows[16]; } cfg = {.palette = 1};
    for (int t = 0; t < 8; t++) cfg.bytes[t] = 64, cfg.rows[t] = 16;
    _tile_loadconfig(&cfg);
    for (int n = 0; n < N; n += 32)
        for (int m = 0; m < M; m += 32) {
            float *c = C + (long)m * ldc + n;
            if (add) {
                _tile_loadd(0, c, ldc * 4L); _tile_loadd(1, c + 16, ldc * 4L);
                _tile_loadd(2, c + 16L * ldc, ldc * 4L); _tile_loadd(3, c + 16L * ldc + 16, ldc * 4L);
            } else { _tile_zero(0); _tile_zero(1); _tile_zero(2); _tile_zero(3); }
            for (int k = 0; k < Kn; k += 32) {
                const bf *a = A + (long)m * lda + k, *b = B + (long)k * ldb + 2 * n;
                _tile_loadd(4, a, lda * 2L); _tile_loadd(5, a + 16L * lda, lda * 2L);
                _tile_loadd(6, b, ldb * 4L); _tile_loadd(7, b + 32, ldb * 4L);
                _tile_dpbf16ps(0, 4, 6); _tile_dpbf16ps(1, 4, 7); _tile_dpbf16ps(2, 5, 6); _tile_dpbf16ps(3, 5, 7);
            }
            _tile_stored(0, c, ldc * 4L); _tile_stored(1, c + 16, ldc * 4L);
            _tile_stored(2, c + 16L * ldc, ldc * 4L); _tile_stored(3, c + 16L * ldc + 16, ldc * 4L);
        }
    _tile_release();
#elif defined(__AVX512BF16__)
    enum { ROWS = 8 }; /* by two vectors of 16 columns: 16 sums in registers */
    for (int n = 0; n < N; n += 32)
        for (int m = 0; m < M; m += ROWS) {
            __m512 sum[ROWS][2];
            for (int i = 0; i < ROWS; i++)
                for (int j = 0; j < 2; j++)
                    sum[i][j] = add ? _mm512_loadu_ps(C + (long)(m + i) * ldc + n + 16 * j) : _mm512_setzero_ps();
            for (int k = 0; k < Kn; k += 2) {
                const bf *b = B + (long)k * ldb + 2 * n;
                __m512bh b0 = (__m512bh)_mm512_loadu_si512(b), b1 = (__m512bh)_mm512_loadu_si512(b + 32);
                for (int i = 0; i < ROWS; i++) {
                    int pair;
                    memcpy(&pair, A + (long)(m + i) * lda + k, 4);
                    __m512bh a = (__m512bh)_mm512_set1_epi32(pair);
                    sum[i][0] = _mm512_dpbf16_ps(sum[i][0], a, b0);
                    sum[i][1] = _mm512_dpbf16_ps(sum[i][1], a, b1);
                }
            }
            for (int i = 0; i < ROWS; i++)
                for (int j = 0; j < 2; j++) _mm512_storeu_ps(C + (long)(m + i) * ldc + n + 16 * j, sum[i][j]);
        }
#else
    for (int m = 0; m < M; m++) {
        float *c = C + (long)m * ldc;
        if (!add) memset(c, 0, N * 4L);
        for (int k = 0; k < Kn; k += 2) {
            float a0 = from_bf(A[(long)m * lda + k]), a1 = from_bf(A[(long)m * lda + k + 1]);
            const bf *b = B + (long)k * ldb;
            for (int n = 0; n < N; n++) c[n] += a0 * from_bf(b[2 * n]) + a1 * from_bf(b[2 * n + 1]);
        }
    }
#endif
}

static void norm(bf *h, float *r, const float *x, const float *w, const Shape *s) {
    for (int t = 0; t < s->T; t++, x += s->D, h += s->D) {
        float sum = 0;
        for (int i = 0; i < s->D; i++) sum += x[i] * x[i];
        r[t] = 1 / sqrtf(sum / s->D + s->eps);
        for (int i = 0; i < s->D; i++) h[i] = to_bf(x[i] * r[t] * w[i]);
    }
}
static void norm_back(float *dx, float *dw, const float *dh, const float *x, const float *r, const float *w,
                      const Shape *s) {
    for (int t = 0; t < s->T; t++, x += s->D, dx += s->D, dh += s->D) {
        float dot = 0, rt = r[t];
        for (int i = 0; i < s->D; i++) dot += dh[i] * w[i] * x[i] * rt, dw[i] += dh[i] * x[i] * rt;
        dot /= s->D;
        for (int i = 0; i < s->D; i++) dx[i] += rt * (dh[i] * w[i] - x[i] * rt * dot);
    }
}
/* Turns adjacent pairs of one head's row; way = -1 turns back. */
static void rope(float *y, const Work *w, int t, float way) {
    int half = w->s.E / 2;
    for (int i = 0; i < half; i++) {
        float c = w->cos[t * half + i], s = way * w->sin[t * half + i], a = y[2 * i], b = y[2 * i + 1];
        y[2 * i] = a * c - b * s; y[2 * i + 1] = a * s + b * c;
    }
}
/* Dropout: keeps a place by a hash of it, so that the way back keeps the same. */
static void drop(float *x, long n, float p, uint32_t seed) {
    if (p <= 0) return;
    uint32_t limit = (uint32_t)(p * 4294967295.0f);
    float scale = 1 / (1 - p);
    for (uint32_t i = 0; i < (uint32_t)n; i++) {
        uint32_t h = (i ^ seed) * 0x9E3779B1u; h ^= h >> 15; h *= 0x85EBCA77u; h ^= h >> 13; h *= 0xC2B2AE3Du; h ^= h >> 16;
        x[i] = h < limit ? 0 : x[i] * scale;
    }
}
static uint32_t mix(uint32_t seed, int n) { return (seed + 1) * 2654435761u ^ (uint32_t)(n + 1) * 0x27D4EB2Fu; }

static void *room(long n) { void *p = aligned_alloc(64, (n + 63) / 64 * 64); if (p) memset(p, 0, n); return p; }

Work *make(const Shape *s) {
#ifdef __AMX_BF16__
    syscall(SYS_arch_prctl, 0x1023, 18); /* ask Linux for the tile registers */
#endif
    Work *w = room(sizeof *w);
    long T = s->T, D = s->D, A = (long)s->H * s->E, KV = (long)s->G * s->E, big = s->F > A ? s->F : A;
    if (big < D) big = D;
    w->s = *s;
    w->layer = room(sizeof *w->layer * s->L);
    for (int l = 0; l < s->L; l++) {
        Layer *y = &w->layer[l];
        y->x = room(4 * T * D); y->xm = room(4 * T * D); y->r1 = room(4 * T); y->r2 = room(4 * T);
        y->h1 = room(2 * T * D); y->h2 = room(2 * T * D);
        y->q = room(2 * T * A); y->k = room(2 * T * KV); y->v = room(2 * T * KV); y->P = room(2 * T * T * s->H);
        y->a = room(2 * T * A); y->g = room(2 * T * s->F); y->u = room(2 * T * s->F); y->s = room(2 * T * s->F);
    }
    int half = s->E / 2;
    w->cos = room(4 * T * half); w->sin = room(4 * T * half);
    for (int t = 0; t < T; t++)
        for (int i = 0; i < half; i++) {
            double angle = t * pow(s->rope_base, -2.0 * i / s->E);
            w->cos[t * half + i] = cos(angle); w->sin[t * half + i] = sin(angle);
        }
    long widest = s->V > big ? s->V : big;
    w->x = room(4 * T * D); w->r = room(4 * T); w->h = room(2 * T * D);
    w->f1 = room(4 * T * big); w->f2 = room(4 * T * big); w->f3 = room(4 * T * big); w->logits = room(4 * T * s->V);
    w->dx = room(4 * T * D); w->S = room(4 * BLOCK * T); w->dkT = room(4 * T * s->E); w->dvT = room(4 * T * s->E);
    w->b1 = room(2 * T * widest); w->b2 = room(2 * T * big); w->b3 = room(2 * T * big);
    w->bt = room(2 * T * widest); w->bp = room(2 * T * widest);
    w->Pp = room(2 * BLOCK * T); w->dS = room(2 * BLOCK * T);
    w->kt = room(2 * T * s->E); w->kp = room(2 * T * s->E);
    w->doh = room(2 * T * s->E); w->dot = room(2 * T * s->E); w->qt = room(2 * T * s->E);
    return w;
}

/* A matrix [N][K] as both right operands: fwd for X W^T, back for dY W. */
void pack(const float *W, int N, int Kn, bf *scratch, bf *fwd, bf *back) {
    narrow(scratch, W, (long)N * Kn);
    turn_pairs(fwd, scratch, N, Kn);
    pair_rows(back, scratch, N, Kn, Kn);
}

/* dW[N][K] += dY[T][N]^T X[T][K]. */
static void grad_of(Work *w, float *dW, const bf *dY, int N, const bf *X, int Kn, int paired) {
    int T = w->s.T;
    turn(w->bt, dY, T, N);
    if (!paired) pair_rows(w->bp, X, T, Kn, Kn);
    gemm(N, Kn, T, w->bt, T, w->bp, Kn, dW, Kn, 1);
}

static void attention(Work *w, Layer *y, const int32_t *start) {
    const Shape *s = &w->s;
    int T = s->T, E = s->E, A = s->H * E;
    for (int h = 0; h < s->H; h++) {
        const bf *q = y->q + (long)h * T * E, *k = y->k + (long)(h / (s->H / s->G)) * T * E,
                 *v = y->v + (long)(h / (s->H / s->G)) * T * E;
        bf *P = y->P + (long)h * T * T;
        turn_pairs(w->kt, k, T, E);
        pair_rows(w->kp, v, T, E, E);
        for (int i0 = 0; i0 < T; i0 += BLOCK) {
            int end = i0 + BLOCK;
            gemm(BLOCK, end, E, q + (long)i0 * E, E, w->kt, T, w->S, T, 0);
            for (int i = i0; i < end; i++) {
                float *S = w->S + (long)(i - i0) * T, top = -1e30f, sum = 0;
                bf *p = P + (long)i * T;
                for (int j = start[i]; j <= i; j++) top = S[j] > top ? S[j] : top;
                for (int j = start[i]; j <= i; j++) S[j] = expf(S[j] - top);
                for (int j = start[i]; j <= i; j++) sum += S[j];
                sum = 1 / sum;
                memset(p, 0, start[i] * 2L);
                for (int j = start[i]; j <= i; j++) p[j] = to_bf(S[j] * sum);
                memset(p + i + 1, 0, (end - i - 1) * 2L);
            }
            gemm(BLOCK, E, end, P + (long)i0 * T, T, w->kp, E, w->f2 + (long)i0 * E, E, 0);
        }
        for (int t = 0; t < T; t++) narrow(y->a + (long)t * A + h * E, w->f2 + (long)t * E, E);
    }
}

/* From da (f1, [T][A]) to dq, dk, dv before rope: b1 [T][A], b2 and b3 [T][KV]. */
static void attention_back(Work *w, Layer *y, const int32_t *start) {
    const Shape *s = &w->s;
    int T = s->T, E = s->E, A = s->H * E, KV = s->G * E, group = s->H / s->G;
    float scale = 1 / sqrtf(E);
    for (int h = 0; h < s->H; h++) {
        const bf *q = y->q + (long)h * T * E, *k = y->k + (long)(h / group) * T * E, *v = y->v + (long)(h / group) * T * E;
        const bf *P = y->P + (long)h * T * T;
        for (int t = 0; t < T; t++) narrow(w->doh + (long)t * E, w->f1 + (long)t * A + h * E, E);
        turn(w->dot, w->doh, T, E);
        turn(w->qt, q, T, E);
        turn_pairs(w->kt, v, T, E);
        pair_rows(w->kp, k, T, E, E);
        if (h % group == 0) memset(w->dkT, 0, 4L * T * E), memset(w->dvT, 0, 4L * T * E);
        for (int i0 = 0; i0 < T; i0 += BLOCK) {
            int end = i0 + BLOCK;
            gemm(BLOCK, end, E, w->doh + (long)i0 * E, E, w->kt, T, w->S, T, 0);
            for (int i = i0; i < end; i++) {
                const float *S = w->S + (long)(i - i0) * T;
                const bf *p = P + (long)i * T;
                bf *d = w->dS + (long)(i - i0) * T;
                float dot = 0;
                for (int j = start[i]; j <= i; j++) dot += S[j] * from_bf(p[j]);
                memset(d, 0, end * 2L);
                for (int j = start[i]; j <= i; j++) d[j] = to_bf(from_bf(p[j]) * (S[j] - dot));
            }
            gemm(BLOCK, E, end, w->dS, T, w->kp, E, w->f2 + (long)i0 * E, E, 0);
            pair_rows(w->Pp, P + (long)i0 * T, BLOCK, end, T);
            gemm(E, end, BLOCK, w->dot + i0, T, w->Pp, end, w->dvT, T, 1);
            pair_rows(w->Pp, w->dS, BLOCK, end, T);
            gemm(E, end, BLOCK, w->qt + i0, T, w->Pp, end, w->dkT, T, 1);
        }
        for (int t = 0; t < T; t++) {
            float *dq = w->f2 + (long)t * E, dk[256], dv[256];
            rope(dq, w, t, -1);
            for (int e = 0; e < E; e++) w->b1[(long)t * A + h * E + e] = to_bf(dq[e] * scale);
            if (h % group != group - 1) continue;
            for (int e = 0; e < E; e++) dk[e] = w->dkT[(long)e * T + t], dv[e] = w->dvT[(long)e * T + t];
            rope(dk, w, t, -1);
            narrow(w->b2 + (long)t * KV + h / group * E, dk, E);
            narrow(w->b3 + (long)t * KV + h / group * E, dv, E);
        }
    }
}

/* The summed loss of a row; with grads, adds each parameter's gradient of inv * loss. target -1 is not counted. */
double row_step(Work *w, const float **par, bf **fwd, bf **back, float **grads, const int32_t *ids,
                const int32_t *target, const int32_t *start, float inv, float p, uint32_t seed) {
    const Shape *s = &w->s;
    int T = s->T, D = s->D, E = s->E, A = s->H * E, KV = s->G * E, F = s->F, V = s->V, top = s->L * PER_LAYER;
    float scale = 1 / sqrtf(E);
    double loss = 0;
    for (int t = 0; t < T; t++) memcpy(w->x + (long)t * D, par[top] + (long)ids[t] * D, 4L * D);
    drop(w->x, (long)T * D, p, mix(seed, -1));
    for (int l = 0; l < s->L; l++) {
        Layer *y = &w->layer[l];
        const float **m = par + l * PER_LAYER;
        bf **f = fwd + l * PER_LAYER;
        memcpy(y->x, w->x, 4L * T * D);
        norm(y->h1, y->r1, y->x, m[ATTN_NORM], s);
        gemm(T, A, D, y->h1, D, f[Q], A, w->f1, A, 0);
        for (int t = 0; t < T; t++)
            for (int h = 0; h < s->H; h++) {
                float *q = w->f1 + (long)t * A + h * E;
                rope(q, w, t, 1);
                for (int e = 0; e < E; e++) y->q[((long)h * T + t) * E + e] = to_bf(q[e] * scale);
            }
        gemm(T, KV, D, y->h1, D, f[K], KV, w->f1, KV, 0);
        gemm(T, KV, D, y->h1, D, f[V_], KV, w->f2, KV, 0);
        for (int t = 0; t < T; t++)
            for (int h = 0; h < s->G; h++) {
                rope(w->f1 + (long)t * KV + h * E, w, t, 1);
                narrow(y->k + ((long)h * T + t) * E, w->f1 + (long)t * KV + h * E, E);
                narrow(y->v + ((long)h * T + t) * E, w->f2 + (long)t * KV + h * E, E);
            }
        attention(w, y, start);
        gemm(T, D, A, y->a, A, f[O], D, w->f1, D, 0);
        drop(w->f1, (long)T * D, p, mix(seed, 2 * l));
        for (long i = 0; i < (long)T * D; i++) y->xm[i] = y->x[i] + w->f1[i];
        norm(y->h2, y->r2, y->xm, m[FFN_NORM], s);
        gemm(T, F, D, y->h2, D, f[GATE], F, w->f1, F, 0);
        gemm(T, F, D, y->h2, D, f[UP], F, w->f2, F, 0);
        narrow(y->g, w->f1, (long)T * F);
        narrow(y->u, w->f2, (long)T * F);
        for (long i = 0; i < (long)T * F; i++) y->s[i] = to_bf(w->f1[i] / (1 + expf(-w->f1[i])) * w->f2[i]);
        gemm(T, D, F, y->s, F, f[DOWN], D, w->f1, D, 0);
        drop(w->f1, (long)T * D, p, mix(seed, 2 * l + 1));
        for (long i = 0; i < (long)T * D; i++) w->x[i] = y->xm[i] + w->f1[i];
    }
    norm(w->h, w->r, w->x, par[top + 1], s);
    gemm(T, V, D, w->h, D, fwd[top], V, w->logits, V, 0);
    for (int t = 0; t < T; t++) {
        float *z = w->logits + (long)t * V, high = -1e30f, sum = 0;
        if (target[t] < 0) { memset(z, 0, 4L * V); continue; }
        float hit = z[target[t]];
        for (int i = 0; i < V; i++) high = z[i] > high ? z[i] : high;
        for (int i = 0; i < V; i++) z[i] = expf(z[i] - high);
        for (int i = 0; i < V; i++) sum += z[i];
        loss += logf(sum) + high - hit;
        float k = inv / sum;
        for (int i = 0; i < V; i++) z[i] *= k;
        z[target[t]] -= inv;
    }
    if (!grads) return loss;

    narrow(w->b1, w->logits, (long)T * V);
    gemm(T, D, V, w->b1, V, back[top], D, w->f1, D, 0);
    grad_of(w, grads[top], w->b1, V, w->h, D, 0);
    memset(w->dx, 0, 4L * T * D);
    norm_back(w->dx, grads[top + 1], w->f1, w->x, w->r, par[top + 1], s);
    for (int l = s->L - 1; l >= 0; l--) {
        Layer *y = &w->layer[l];
        const float **m = par + l * PER_LAYER;
        bf **b = back + l * PER_LAYER;
        float **g = grads + l * PER_LAYER;
        memcpy(w->f1, w->dx, 4L * T * D);
        drop(w->f1, (long)T * D, p, mix(seed, 2 * l + 1));
        narrow(w->b1, w->f1, (long)T * D);
        gemm(T, F, D, w->b1, D, b[DOWN], F, w->f1, F, 0);
        grad_of(w, g[DOWN], w->b1, D, y->s, F, 0);
        for (long i = 0; i < (long)T * F; i++) {
            float gate = from_bf(y->g[i]), sig = 1 / (1 + expf(-gate)), d = w->f1[i];
            w->b2[i] = to_bf(d * from_bf(y->u[i]) * sig * (1 + gate * (1 - sig)));
            w->b3[i] = to_bf(d * gate * sig);
        }
        gemm(T, D, F, w->b2, F, b[GATE], D, w->f1, D, 0);
        gemm(T, D, F, w->b3, F, b[UP], D, w->f1, D, 1);
        grad_of(w, g[GATE], w->b2, F, y->h2, D, 0);
        grad_of(w, g[UP], w->b3, F, y->h2, D, 1);
        norm_back(w->dx, g[FFN_NORM], w->f1, y->xm, y->r2, m[FFN_NORM], s);

        memcpy(w->f1, w->dx, 4L * T * D);
        drop(w->f1, (long)T * D, p, mix(seed, 2 * l));
        narrow(w->b1, w->f1, (long)T * D);
        gemm(T, A, D, w->b1, D, b[O], A, w->f1, A, 0);
        grad_of(w, g[O], w->b1, D, y->a, A, 0);
        attention_back(w, y, start);
        gemm(T, D, A, w->b1, A, b[Q], D, w->f1, D, 0);
        gemm(T, D, KV, w->b2, KV, b[K], D, w->f1, D, 1);
        gemm(T, D, KV, w->b3, KV, b[V_], D, w->f1, D, 1);
        grad_of(w, g[Q], w->b1, A, y->h1, D, 0);
        grad_of(w, g[K], w->b2, KV, y->h1, D, 1);
        grad_of(w, g[V_], w->b3, KV, y->h1, D, 1);
        norm_back(w->dx, g[ATTN_NORM], w->f1, y->x, y->r1, m[ATTN_NORM], s);
    }
    drop(w->dx, (long)T * D, p, mix(seed, -1));
    for (int t = 0; t < T; t++)
        for (int i = 0; i < D; i++) grads[top][(long)ids[t] * D + i] += w->dx[(long)t * D + i];
    return loss;
}
