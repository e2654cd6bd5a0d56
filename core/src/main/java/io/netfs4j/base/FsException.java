// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.base;

import org.jspecify.annotations.Nullable;

import java.io.IOException;

/** A failed file operation: an {@link FsError} and one sentence that names the thing. */
public final class FsException extends IOException {
    private static final long serialVersionUID = 1L;

    private final FsError error;

    public FsException(FsError error, String message) {
        this(error, message, null);
    }

    public FsException(FsError error, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.error = error;
    }

    public FsException(FsError error) {
        this(error, error.words(), null);
    }

    public FsError error() {
        return error;
    }

    /** Whether it says that there is no such file, and not only that nobody can tell. */
    public boolean isAbsence() {
        return error == FsError.ENOENT || error == FsError.ENOTDIR;
    }

    /**
     * The same failure for another thread to throw: an exception that is thrown in two threads
     * would show the wrong stack.
     */
    public FsException copy() {
        return new FsException(error, String.valueOf(getMessage()), this);
    }

    @Override
    public String toString() {
        return error + ": " + getMessage();
    }
}
