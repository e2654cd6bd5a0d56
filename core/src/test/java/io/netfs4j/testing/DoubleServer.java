// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing;

import io.netfs4j.server.OpenedFile;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.WriteSession;

import org.jspecify.annotations.Nullable;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;

/**
 * Doubles of a server, of the files that it opens and of the sessions that these begin. Every call
 * of any of them comes by the test, which lets it through, changes its result, or does something
 * else instead.
 */
public final class DoubleServer {
    /** What the test makes of a call. */
    public interface Instead {
        @Nullable Object of(Call call) throws Throwable;
    }

    /** A call of a double. */
    public static final class Call {
        /** The double that is called. */
        public final Object self;

        private final Object real;
        private final Method method;
        private final Object[] arguments;
        private final Instead instead;

        private Call(Object self, Object real, Method method, Object[] arguments, Instead instead) {
            this.self = self;
            this.real = real;
            this.method = method;
            this.arguments = arguments;
            this.instead = instead;
        }

        public boolean is(Class<?> of, String name) {
            return of.isInstance(self) && method.getName().equals(name);
        }

        public String name() {
            return method.getName();
        }

        public <T> T argument(int index, Class<T> type) {
            return type.cast(arguments[index]);
        }

        /** Calls the real one; what that opens or begins is doubled. */
        public @Nullable Object proceed() throws Throwable {
            return proceedWith(arguments);
        }

        /** As {@link #proceed}, with other arguments. */
        public @Nullable Object proceedWith(Object... others) throws Throwable {
            Object result;
            try {
                result = method.invoke(real, others);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
            return switch (result) {
                case OpenedFile opened ->
                        new OpenedFile(
                                twin(ServerFile.class, opened.file(), instead),
                                opened.attributes());
                case Server server -> twin(Server.class, server, instead);
                case WriteSession session -> twin(WriteSession.class, session, instead);
                case null, default -> result;
            };
        }
    }

    private DoubleServer() {}

    public static Server of(Server real, Instead instead) {
        return twin(Server.class, real, instead);
    }

    @SuppressWarnings("ReferenceEquality") // a double is one object
    private static <T> T twin(Class<T> type, T real, Instead instead) {
        return type.cast(
                Proxy.newProxyInstance(
                        type.getClassLoader(),
                        new Class<?>[] {type},
                        (self, method, arguments) ->
                                switch (method.getName()) {
                                    case "equals" -> self == arguments[0];
                                    case "hashCode" -> System.identityHashCode(self);
                                    default ->
                                            instead.of(
                                                    new Call(
                                                            self, real, method, arguments,
                                                            instead));
                                }));
    }
}
