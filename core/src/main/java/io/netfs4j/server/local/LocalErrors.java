// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server.local;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemErrors;

import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.ReadOnlyFileSystemException;

/** What went wrong with a file of the JDK's, with its path. */
final class LocalErrors {
    private LocalErrors() {}

    static FsException of(IOException e, Path path) {
        if (e instanceof FsException already) {
            return already;
        }
        FsError error = SystemErrors.of(e);
        String more = error == FsError.EIO ? " (" + e + ")" : "";
        return new FsException(error, path + ": " + error.words() + more, e);
    }

    /** An action on the JDK's files. */
    @FunctionalInterface
    interface Action<T> {
        T run() throws IOException;
    }

    static <T> T named(Path path, Action<T> action) throws FsException {
        try {
            return action.run();
        } catch (IOException e) {
            throw of(e, path);
        } catch (ReadOnlyFileSystemException e) {
            throw new FsException(FsError.EROFS, path + ": " + FsError.EROFS.words(), e);
        } catch (UnsupportedOperationException e) {
            throw new FsException(FsError.ENOTSUP, path + ": " + FsError.ENOTSUP.words(), e);
        }
    }
}
