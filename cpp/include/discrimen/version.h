/* The version of the engine and of the whole project; read from here by the builds too. */
#ifndef DISCRIMEN_VERSION_H
#define DISCRIMEN_VERSION_H

#define DISCRIMEN_VERSION "0.1.0"

#endif
