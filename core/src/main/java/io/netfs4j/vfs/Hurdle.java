// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsException;

import org.jspecify.annotations.Nullable;

/**
 * Why a step of a write has not copied everything.
 *
 * @param hopeless why waiting for more room is hopeless, or null
 * @param awaited ends when data of an older group is out of the way, or when it is the turn of who
 *     waits behind others; null when room is lacking
 */
record Hurdle(@Nullable FsException hopeless, @Nullable Completion<@Nullable Void> awaited) {
    static final Hurdle NONE = new Hurdle(null, null);

    /** Only the step was long enough. */
    static final Hurdle MORE = new Hurdle(null, Completion.done(null));
}
